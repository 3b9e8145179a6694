package pki

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// isDNSSuffix knows a DNS name in ASCII, all that the extension can hold; a dot in
// front leaves out the name itself.
func isDNSSuffix(name string) bool {
	for label := range strings.SplitSeq(strings.TrimPrefix(name, "."), ".") {
		if !isLabel(label) {
			return false
		}
	}
	return len(name) <= 253
}

// isLabel knows a label of a DNS name (RFC 1123, 2.1).
func isLabel(s string) bool {
	within := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
	}
	return s != "" && len(s) <= 63 && s[0] != '-' && s[len(s)-1] != '-' &&
		!strings.ContainsFunc(s, func(c rune) bool { return !within(c) })
}

func (n *NameConstraints) validate() []Finding {
	if n == nil {
		return nil
	}
	var found []Finding
	for _, dns := range n.PermittedDNS {
		if !isDNSSuffix(dns) {
			found = append(found, New("plan-value", "nameConstraints.permittedDNS", "value", dns, "want", "example.org"))
		}
	}
	for _, cidr := range n.PermittedIP {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			found = append(found, New("plan-value", "nameConstraints.permittedIP", "value", cidr, "want", "10.0.0.0/8"))
		}
	}
	return found
}

// with returns the constraints widened by names that must be allowed, and only
// for the forms (DNS, IP) that are limited at all: an absent form is free.
func (n *NameConstraints) with(names []string) *NameConstraints {
	if n == nil || len(n.PermittedDNS)+len(n.PermittedIP) == 0 {
		return nil
	}
	wide := &NameConstraints{PermittedDNS: slices.Clone(n.PermittedDNS), PermittedIP: slices.Clone(n.PermittedIP)}
	for _, name := range names {
		addr, err := netip.ParseAddr(name)
		switch {
		case err == nil && len(n.PermittedIP) > 0:
			wide.PermittedIP = append(wide.PermittedIP, netip.PrefixFrom(addr, addr.BitLen()).String())
		case err != nil && len(n.PermittedDNS) > 0:
			wide.PermittedDNS = append(wide.PermittedDNS, name)
		}
	}
	slices.Sort(wide.PermittedDNS)
	slices.Sort(wide.PermittedIP)
	wide.PermittedDNS, wide.PermittedIP = slices.Compact(wide.PermittedDNS), slices.Compact(wide.PermittedIP)
	return wide
}

// apply writes the constraints into a template, critical as RFC 5280 demands.
func (n *NameConstraints) apply(template *x509.Certificate) error {
	if n == nil {
		return nil
	}
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = n.PermittedDNS
	for _, cidr := range n.PermittedIP {
		_, network, err := net.ParseCIDR(cidr)
		if err != nil {
			return fmt.Errorf("permitted IP range: %w", err)
		}
		template.PermittedIPRanges = append(template.PermittedIPRanges, network)
	}
	return nil
}

// holds reports whether the certificate carries these constraints and no other.
func (n *NameConstraints) holds(c *x509.Certificate) bool {
	want := &x509.Certificate{}
	if n.apply(want) != nil {
		return false
	}
	sameNet := func(a, b *net.IPNet) bool { return a.String() == b.String() }
	return slices.Equal(c.PermittedDNSDomains, want.PermittedDNSDomains) &&
		slices.EqualFunc(c.PermittedIPRanges, want.PermittedIPRanges, sameNet) &&
		(n != nil || !Constrained(c))
}

// Forbids returns the first of the names that the name constraints of the
// certificate do not allow, empty if all are allowed (RFC 5280, 4.2.1.10).
func Forbids(ca *x509.Certificate, names []string) string {
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			holds := func(n *net.IPNet) bool { return n.Contains(ip) }
			if slices.ContainsFunc(ca.ExcludedIPRanges, holds) ||
				len(ca.PermittedIPRanges) > 0 && !slices.ContainsFunc(ca.PermittedIPRanges, holds) {
				return name
			}
			continue
		}
		holds := func(domain string) bool { return withinDomain(name, domain) }
		if slices.ContainsFunc(ca.ExcludedDNSDomains, holds) ||
			len(ca.PermittedDNSDomains) > 0 && !slices.ContainsFunc(ca.PermittedDNSDomains, holds) {
			return name
		}
	}
	return ""
}

func withinDomain(name, domain string) bool {
	name, domain = strings.ToLower(name), strings.ToLower(domain)
	if rest, ok := strings.CutPrefix(domain, "."); ok {
		return strings.HasSuffix(name, "."+rest)
	}
	return domain == "" || name == domain || strings.HasSuffix(name, "."+domain)
}

// Constrained reports whether the certificate carries name constraints.
func Constrained(c *x509.Certificate) bool {
	return len(c.PermittedDNSDomains)+len(c.ExcludedDNSDomains)+len(c.PermittedIPRanges)+len(c.ExcludedIPRanges)+
		len(c.PermittedEmailAddresses)+len(c.ExcludedEmailAddresses)+len(c.PermittedURIDomains)+len(c.ExcludedURIDomains) > 0
}
