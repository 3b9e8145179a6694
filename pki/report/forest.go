package report

import (
	"bytes"
	"runtime"
	"slices"
	"sync"

	"rootkiln/pki"
)

// manyNodes is from where on fewer candidates are tried for each certificate: a
// bundle of thousands that all bear one name must not take minutes.
const manyNodes = 500

func candidateLimit(nodes int) int {
	if nodes > manyNodes {
		return 2
	}
	return 8
}

// link finds the issuers of every certificate: by name, and by a signature that
// verifies. Signatures are the costly part, so all processors take a share.
func link(nodes []*node) {
	bySubject := map[string][]*node{}
	for _, n := range nodes {
		bySubject[string(n.cert.RawSubject)] = append(bySubject[string(n.cert.RawSubject)], n)
	}
	limit := candidateLimit(len(nodes))
	todo := make(chan *node)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for n := range todo {
				n.findIssuers(bySubject[string(n.cert.RawIssuer)], limit)
			}
		})
	}
	for _, n := range nodes {
		todo <- n
	}
	close(todo)
	workers.Wait()
	for _, n := range nodes {
		if n.self { // nothing stands above it, though its cross-signed twin has the same key
			n.issuers = nil
		}
	}
	for _, n := range nodes {
		slices.SortStableFunc(n.issuers, func(a, b *node) int { return n.preference(a) - n.preference(b) })
	}
}

// findIssuers tries the certificates that bear the issuer's name, those first
// whose key identifier fits.
func (n *node) findIssuers(candidates []*node, limit int) {
	candidates = slices.Clone(candidates)
	slices.SortStableFunc(candidates, func(a, b *node) int { return n.keyIDPreference(a) - n.keyIDPreference(b) })
	for _, c := range candidates {
		if c == n {
			n.self = n.signedBy(n)
			continue
		}
		if limit--; limit >= 0 && n.signedBy(c) {
			n.issuers = append(n.issuers, c)
		}
	}
}

// signedBy checks the signature alone: whether the issuer was allowed to sign is
// told by findings of their own.
func (n *node) signedBy(issuer *node) bool {
	c := n.cert
	return !costly(issuer.cert.PublicKey) &&
		issuer.cert.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// keyIDPreference puts issuers whose key identifier fits before others.
func (n *node) keyIDPreference(issuer *node) int {
	aki := n.cert.AuthorityKeyId
	return rank(len(aki) > 0 && bytes.Equal(aki, issuer.cert.SubjectKeyId))
}

// preference orders several issuers with one key, as a cross-signed root has
// them: the self-signed one goes first.
func (n *node) preference(issuer *node) int {
	return 2*n.keyIDPreference(issuer) + rank(issuer.self)
}

// issuerIn returns the best issuer among the given certificates, nil if none.
func (n *node) issuerIn(among []*node) *node {
	for _, i := range n.issuers {
		if slices.Contains(among, i) {
			return i
		}
	}
	return nil
}

func (n *node) name() string { return pki.Name(n.cert) }

// forest orders the certificates so that each follows its parent, trees whole,
// and returns the parent's index for each, -1 for those at the top. Two CAs
// that signed each other have no top: the one that was found first takes it.
func forest(nodes []*node) (ordered []*node, parents []int) {
	parent := map[*node]*node{}
	for _, n := range nodes {
		if n.self {
			continue
		}
		for _, candidate := range n.issuers {
			if !descends(candidate, n, parent) {
				parent[n] = candidate
				break
			}
		}
	}
	children := map[*node][]*node{}
	for _, n := range nodes {
		children[parent[n]] = append(children[parent[n]], n)
	}
	type visit struct {
		n      *node
		parent int
	}
	var stack []visit
	push := func(list []*node, at int) {
		for _, n := range slices.Backward(list) {
			stack = append(stack, visit{n, at})
		}
	}
	push(topsFirst(children[nil]), -1)
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		ordered, parents = append(ordered, v.n), append(parents, v.parent)
		push(children[v.n], len(ordered)-1)
	}
	return ordered, parents
}

// topsFirst puts self-signed certificates before those whose issuer is not here.
func topsFirst(tops []*node) []*node {
	tops = slices.Clone(tops)
	slices.SortStableFunc(tops, func(a, b *node) int { return rank(a.self) - rank(b.self) })
	return tops
}

// rank sorts what is so before what is not.
func rank(so bool) int {
	if so {
		return 0
	}
	return 1
}

// descends reports whether n is top or stands somewhere below it.
func descends(n, top *node, parent map[*node]*node) bool {
	for ; n != nil; n = parent[n] {
		if n == top {
			return true
		}
	}
	return false
}
