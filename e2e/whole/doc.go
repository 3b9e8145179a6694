// Package whole starts the complete k3s server, agent off, on bundles that the
// rootkiln command makes, and asks it from outside: with kubectl, curl, openssl
// and Go, which know the server root alone. Certificates that each of the five
// CAs signs show which doors it opens, and `rootkiln verify` must have said the
// same. Nothing here links k3s: the tests drive its binary.
package whole
