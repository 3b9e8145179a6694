module rootkiln/e2e/lint

go 1.26.0

toolchain go1.26.8

require (
	github.com/zmap/zcrypto v0.0.0-20260906180147-3ed30b1e9340
	github.com/zmap/zlint/v3 v3.7.3
	rootkiln v0.0.0
)

require (
	github.com/pelletier/go-toml v1.9.5 // indirect
	github.com/weppos/publicsuffix-go v0.50.4-0.20260821095816-b0fdb5c2d345 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace rootkiln => ../..

// zlint 3.7.3 asks for a commit of the public suffix list that the module proxy
// does not serve; this is the last release before it. The list is read for the
// host names of certificates alone, and CA certificates have none.
replace github.com/weppos/publicsuffix-go => github.com/weppos/publicsuffix-go v0.50.3
