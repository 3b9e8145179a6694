// Package pki is the issuing core of rootkiln: it turns a plan into a cluster's
// certificate authorities.
//
// The data goes one way:
//
//	Plan ──► Resolve ──► Resolved ──► Run.Issue ──► Issued ──► Bundle ──► archive
//	(what)   (no blanks)  (digest)    (check, keys,            (a value)
//	                                   sign, re-read)
//
// A [Plan] says what is wanted; [Resolve] fills every blank with the help of a
// [Layout] (the table of a distribution: which authorities exist, who signs
// whom, where the files go) and the authorities that exist already. The result,
// [Resolved], decides every certificate to the last extension and has a digest
// that people can compare. [Run.Issue] makes keys and certificates. Keys come
// only through a [KeySource]; certificates are signed only from a [Checked]
// value, which exists only after a throw-away key has signed the very same
// bytes and the lints have passed.
//
// The package never touches the operating system, the clock or the network:
// time comes with the plan, what is random comes through the KeySource, files
// leave as a [Bundle]. The same call therefore serves the command line, the
// browser and the test vectors.
//
// What is wrong with a plan, an input or a certificate is told as a [Finding]:
// a stable code with a severity. The sentences that people read, in two
// languages, are in package rootkiln/pki/report.
//
// A complete run:
//
//	plan := pki.Plan{Distro: pki.K3s, Time: pki.At(time.Now())}
//	layout, err := k3s.Layout(plan)                 // package rootkiln/pki/k3s
//	resolved, _, err := pki.Resolve(plan, layout, pki.Given{})
//	issued, err := pki.Run{Plan: resolved, Layout: layout, Keys: pki.Random{}}.Issue(ctx)
//	err = pki.WriteTarGz(file, issued.Server)       // what the first server gets
//	err = pki.WriteTarGz(safe, issued.Offline)      // what no server may see
package pki
