// Package report says what is in certificate files and what is wrong with them,
// as plain data with stable JSON names: the same values are drawn as a table,
// written as JSON and shown on the page.
//
// [Inspect] lists: every certificate and private key of a bundle, who signed
// whom, what could not be read. It knows no right or wrong and takes any set of
// files.
//
//	inspection := report.Inspect(bundle, at)
//
// [Verify] judges: is this what a k3s or RKE2 server should start with? It
// lints every certificate, follows every chain, computes the join token, and
// lets throw-away leaf certificates, one for each that the server will make,
// try both ways in which clients verify.
//
//	verification, err := report.Verify(ctx, bundle, at, keys)
//
// [Explain] turns the findings of all packages into sentences, in English and
// Chinese.
//
// The bundle comes from whoever reads files; kubeconfigs have been turned into
// JSON by then. The package touches no clock, disk or network. Private keys are
// read to find out whose they are, and never leave: not into a result, not into
// a finding.
package report
