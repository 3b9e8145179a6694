// Package engine is the core behind one function, for a page: a method, its
// parameters as JSON and files by name go in, a value as JSON and files come out.
//
//	e := engine.Engine{Keys: pki.Random{}, Version: "0.1.0"}
//	value, files, err := e.Call(ctx, "make", params, inputs, progress)
//
// engine.d.ts beside this package describes every method; the err of a call is a
// [*Failure]. The package touches no disk, no network and no JavaScript: it works
// in any program, and package main above it puts it into a browser.
//
// Secrets live as short as a garbage-collected language allows. A call clears the
// parameters and the files that it was given when it ends, so nobody may use them
// afterwards. What Go's own types hold (numbers of a key, a passphrase that a
// library wants as a string) goes when the memory is used again.
package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// API is the version of engine.d.ts that the engine speaks.
const API = 1

// Engine answers calls. It keeps nothing between them.
type Engine struct {
	Keys    pki.KeySource
	Version string
}

// File is a file by name: nothing is opened by it.
type File struct {
	Name string
	Data []byte
	Mode fs.FileMode // zero: not known
	Time time.Time   // of its last change; zero: not known
}

// call is one call on its way.
type call struct {
	engine   *Engine
	files    []File // given
	out      []File // to hand back
	progress func(step []byte)

	common
	distro pki.Distro // in whose words findings are told
}

// common are the parameters of every method.
type common struct {
	Lang report.Lang `json:"lang"`
	Now  pki.Time    `json:"now"`
}

func (c *common) base() *common { return c }

// method is a function of the API with its parameters still as JSON.
type method func(ctx context.Context, c *call, params []byte) (any, error)

// methods is the whole API; see engine.d.ts.
var methods = map[string]method{
	"version": of((*call).version),
	"parse":   of((*call).parse),
	"plan":    of((*call).plan),
	"make":    of((*call).make),
	"request": of((*call).request),
	"resume":  of((*call).resume),
	"sign":    of((*call).sign),
	"inspect": of((*call).inspect),
	"verify":  of((*call).verify),
	"check":   of((*call).check),
	"compare": of((*call).compare),
	"rotate":  of((*call).rotate),
	"token":   of((*call).token),
	"export":  of((*call).export),
	"admin":   of((*call).admin),
	"qr":      of((*call).qr),
}

// Methods lists the names of all methods, sorted.
func Methods() []string {
	var names []string
	for name := range methods {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// parameters are what a method takes: a struct that begins with the common part.
type parameters[P any] interface {
	*P
	base() *common
}

// of makes a method of a function with typed parameters and value, which the tests
// hold against engine.d.ts. Fields that do not exist are refused: a misspelt one
// would change what is made.
func of[P any, Q parameters[P], V any](f func(*call, context.Context, Q) (*V, error)) method {
	return func(ctx context.Context, c *call, params []byte) (any, error) {
		p := Q(new(P))
		d := json.NewDecoder(bytes.NewReader(params))
		d.DisallowUnknownFields()
		if err := d.Decode(p); err != nil {
			return nil, badParameters(err)
		}
		c.common = *p.base()
		if c.Now.IsZero() {
			c.Now = pki.At(time.Now())
		}
		if s, ok := any(p).(interface{ forget() }); ok {
			defer s.forget()
		}
		return f(c, ctx, p)
	}
}

// badParameters leaves values out of the sentence: one may be a passphrase in the
// wrong place.
func badParameters(err error) error {
	var refusal *pki.Refusal
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &refusal):
		return refusal
	case errors.As(err, &mistyped):
		return usage(sayField, mistyped.Field)
	}
	if field, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return usage(sayField, strings.Trim(field, `"`))
	}
	return usage(sayParameters)
}

// Call runs a method. Value is JSON. The parameters and the data of the files are
// cleared when it returns.
func (e *Engine) Call(ctx context.Context, name string, params []byte, files []File, progress func(step []byte)) (value []byte, out []File, err error) {
	c := &call{engine: e, files: files, progress: progress}
	var spoken struct {
		Lang report.Lang `json:"lang"`
	}
	if json.Unmarshal(params, &spoken) == nil {
		c.Lang = spoken.Lang
	}
	defer func() {
		clear(params)
		for _, f := range files {
			clear(f.Data)
		}
		if recover() != nil { // what a panic says may quote what it was working on
			value, out, err = nil, nil, c.failure(failed(sayInternal, name))
		}
	}()
	run, known := methods[name]
	if !known {
		return nil, nil, c.failure(usage(sayMethod, name, strings.Join(Methods(), ", ")))
	}
	result, err := run(ctx, c, params)
	if err != nil {
		return nil, nil, c.failure(err)
	}
	if value, err = json.Marshal(result); err != nil {
		return nil, nil, c.failure(err)
	}
	return value, c.out, nil
}
