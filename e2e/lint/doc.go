// Package lint puts what rootkiln issues before judges that it did not write:
// seven implementations of RFC 5280 path validation and the zlint linter.
//
// It holds nothing but tests. A suite that asks crypto/x509 alone would miss
// real faults: an authority key identifier that does not match its issuer
// passes Go and both browsers, and is refused by OpenSSL, GnuTLS, NSS and
// PKI.js. [TestJudgesCanFail] shows what each judge sees and what it is blind
// to, [TestChains] asks all of them about every chain, [TestLints] lints every
// CA certificate.
//
// It is a module of its own so that zlint and its dependencies never reach the
// product's go.mod. The judges are Debian packages and one npm package, pinned
// in package-lock.json; a missing one fails the test with the command that
// installs it. Run it inside this directory, where go test shows the closing
// line of the suite:
//
//	npm ci && go test
package lint
