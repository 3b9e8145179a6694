// Package upstream runs bundles under etcd and under Kubernetes as they are
// released today, built from their modules: newer than the k3s that the module
// above links, and without k3s between a bundle and the component that reads it.
// The components are wired as k3s wires them (pkg/daemons/control), their leaf
// certificates signed as k3s would sign them.
//
// controlplane_test.go proves what must work, defects_test.go what must not go
// unnoticed: each defect as a bundle, what the components do with it and what
// `rootkiln verify` says. nodedefects_test.go has those that are in no bundle.
package upstream
