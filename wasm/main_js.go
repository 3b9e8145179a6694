//go:build js

// Command wasm is the engine of the page: it installs globalThis.rootkiln, which
// engine.d.ts describes, and then waits for calls. It wants wasm_exec.js of the Go
// release that built it; README.md says how to build and load both.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"syscall/js"
	"time"

	"rootkiln/wasm/engine"
)

// version is set by the linker.
var version = "0.1.0"

var (
	object  = js.Global().Get("Object")
	array   = js.Global().Get("Array")
	bytes8  = js.Global().Get("Uint8Array")
	promise = js.Global().Get("Promise")
	failure = js.Global().Get("Error")
)

func main() {
	e := &engine.Engine{Keys: webCrypto(), Version: version}
	api := object.New()
	api.Set("api", engine.API)
	api.Set("call", js.FuncOf(func(_ js.Value, args []js.Value) any { return call(e, args) }))
	js.Global().Set("rootkiln", api)
	select {}
}

// call answers with a promise and works in a goroutine: what a key waits for must
// not hold the loop of events.
func call(e *engine.Engine, args []js.Value) js.Value {
	for len(args) < 4 {
		args = append(args, js.Undefined())
	}
	name, params, files, progress := args[0], args[1], args[2], args[3]
	var executor js.Func
	executor = js.FuncOf(func(_ js.Value, settle []js.Value) any {
		resolve, reject := settle[0], settle[1]
		go func() {
			defer executor.Release()
			value, err := answer(e, name, params, files, progress)
			if err != nil {
				reject.Invoke(failure.New(rejection(err)))
				return
			}
			resolve.Invoke(value)
		}()
		return nil
	})
	return promise.New(executor)
}

// rejection is a Failure as JSON.
func rejection(err error) string {
	var f *engine.Failure
	if !errors.As(err, &f) {
		f = &engine.Failure{Kind: engine.Usage, Message: err.Error(), Findings: []engine.Finding{}}
	}
	text, err := json.Marshal(f)
	if err != nil {
		return `{"kind":"failed","message":"","findings":[]}`
	}
	return string(text)
}

var errArguments = errors.New("call(method: string, params: string, files: NamedFile[], progress)")

func answer(e *engine.Engine, name, params, files, progress js.Value) (js.Value, error) {
	if name.Type() != js.TypeString || params.Type() != js.TypeString {
		return js.Undefined(), errArguments
	}
	in, err := taken(files)
	if err != nil {
		return js.Undefined(), err
	}
	tell := func([]byte) {}
	if progress.Type() == js.TypeFunction {
		tell = func(step []byte) { progress.Invoke(string(step)) }
	}
	value, out, err := e.Call(context.Background(), name.String(), []byte(params.String()), in, tell)
	if err != nil {
		return js.Undefined(), err
	}
	answer := object.New()
	answer.Set("value", string(value))
	answer.Set("files", given(out))
	return answer, nil
}

// taken copies the files of a call in. The page's own copies are overwritten at
// once: it hands them over, and keys may be in them.
func taken(files js.Value) ([]engine.File, error) {
	if files.IsUndefined() || files.IsNull() {
		return nil, nil
	}
	if !array.Call("isArray", files).Bool() {
		return nil, errArguments
	}
	in := make([]engine.File, files.Length())
	for i := range in {
		f := files.Index(i)
		if f.Type() != js.TypeObject || f.Get("name").Type() != js.TypeString || !f.Get("data").InstanceOf(bytes8) {
			return nil, errArguments
		}
		data := f.Get("data")
		in[i] = engine.File{Name: f.Get("name").String(), Data: make([]byte, data.Length())}
		js.CopyBytesToGo(in[i].Data, data)
		data.Call("fill", 0)
		if mode := f.Get("mode"); mode.Type() == js.TypeNumber {
			in[i].Mode = fs.FileMode(mode.Int()) & fs.ModePerm
		}
		if stamp := f.Get("time"); stamp.Type() == js.TypeString {
			in[i].Time, _ = time.Parse(time.RFC3339, stamp.String()) // what is no time is not known
		}
	}
	return in, nil
}

// given copies files out and clears them here.
func given(out []engine.File) js.Value {
	list := array.New(len(out))
	for i, f := range out {
		data := bytes8.New(len(f.Data))
		js.CopyBytesToJS(data, f.Data)
		clear(f.Data)
		item := object.New()
		item.Set("name", f.Name)
		item.Set("data", data)
		item.Set("mode", int(f.Mode))
		item.Set("time", f.Time.UTC().Format(time.RFC3339))
		list.SetIndex(i, item)
	}
	return list
}
