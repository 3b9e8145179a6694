// The builder of the page has a module of its own: what bundles the page is no
// part of rootkiln, and who builds or imports rootkiln need not know of it.
module rootkiln/site/build

go 1.26.0

toolchain go1.26.8

require (
	github.com/evanw/esbuild v0.28.2
	github.com/kjk/lzma v0.0.0-20161016003348-3fd93898850d
)

require golang.org/x/sys v0.0.0-20220715151400-c0bba94af5f8 // indirect
