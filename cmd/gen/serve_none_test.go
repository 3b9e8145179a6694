//go:build !site || wasip1

package main

// carriesPage tells the scripts what to expect of `rootkiln serve`.
const carriesPage = false
