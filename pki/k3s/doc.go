// Package k3s holds what rootkiln knows about k3s and RKE2: which files are a
// cluster's certificate authorities, which leaf certificates the server makes
// from them, and how the join token is computed. Every fact stands here once,
// with its source.
//
// RKE2 links k3s's code; the two differ in the rows of [Product].
package k3s
