package main

import (
	"errors"
	"os"
	"strings"
	"time"
)

// What each part of the long round and of the short one may take, its programs
// being there.
const (
	shortLimit = 10 * time.Minute
	longLimit  = 40 * time.Minute
)

// realStages run the bundles on real software: the short round in every run of
// CI, and all of it.
func realStages(all bool) []stage {
	if !all {
		return realRound(shortLimit, k3sForge)
	}
	return append(realRound(longLimit, k3sForge, upstreamForge),
		stage{"upstream", layer("e2e/upstream", ".", longLimit, k3sForge, upstreamForge)})
}

// realRound is what both rounds have, and the code of the forges' modules held
// to what is asked of all code.
func realRound(limit time.Duration, forges ...forge) []stage {
	return []stage{
		{"code", func(*suite) error { return judge(forges) }},
		{"fast", layer("e2e", ".", limit)},
		{"middle", layer("e2e", "./middle", limit, k3sForge)},
		{"whole", layer("e2e", "./whole", limit, k3sForge)},
	}
}

// judge runs vet and staticcheck on the tests of the forges' modules. The flags
// are those of the programs, so that what they depend on is compiled once.
func judge(forges []forge) error {
	var errs []error
	for _, f := range forges {
		env := append(f.env, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -trimpath"))
		errs = append(errs,
			inDirWith(f.dir, env, "go", append([]string{"vet"}, f.tests...)...),
			inDirWith(f.dir, env, "go", append([]string{"run", staticcheck}, f.light...)...))
	}
	return errors.Join(errs...)
}

// layer runs the tests of a package on the programs of the forges.
func layer(dir, pkg string, limit time.Duration, forges ...forge) func(*suite) error {
	return func(s *suite) error {
		var folders []string
		for _, f := range forges {
			folder, err := f.build()
			if err != nil {
				return err
			}
			defer folder.unlock()
			folders = append(folders, folder.path)
		}
		if err := os.Setenv("ROOTKILN_E2E_BIN", strings.Join(folders, string(os.PathListSeparator))); err != nil {
			return err
		}
		return s.test(limit, dir, "-trimpath", "-count=1", pkg)
	}
}
