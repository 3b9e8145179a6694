// Package e2e runs the code of a real k3s on the bundles that the rootkiln
// command makes. It is a module of its own because k3s needs its own versions
// and forks of several hundred modules, and nothing in it imports rootkiln: the
// environment variable ROOTKILN names the binary to be judged.
//
// The fast layer, this package, takes the steps of a first start that touch
// certificates: CreateRuntimeCertFiles and GenServerDeps make the node's leaf
// certificates, clientaccess makes the join token and, as the client, checks it.
// No k3s process runs and no datastore is opened.
//
// `make e2e` runs the part of the product of all bundles whose keys are drawn
// fast; with ROOTKILN_E2E=all in the environment it is the complete product.
package e2e
