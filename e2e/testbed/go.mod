module rootkiln/e2e/testbed

go 1.22.5
