//go:build !site || wasip1

package main

import "context"

func servePage(context.Context, uint16, func(string)) error { return errNoPage }
