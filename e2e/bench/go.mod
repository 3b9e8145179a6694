module rootkiln/e2e/bench

go 1.26
