// Package middle runs bundles on k3s's supervisor: its certificates, its two
// datastores, its bootstrap value and its rotate-ca, without Kubernetes (see
// ../supervisor). The tests drive that binary from outside and link no k3s;
// what it stored they read with sqlite3 and etcdctl and decrypt themselves.
//
// [offers] is the table of what is offered to rotate-ca, with k3s's answers.
// Each answer is the handler's, given in the very run.
package middle
