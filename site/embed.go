//go:build site

package site

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"io/fs"
)

// `make site` makes it; that is why it stands behind a build tag.
//
//go:embed dist/hosted.zip
var hosted []byte

// Hosted is the page that this binary carries.
func Hosted() (fs.FS, error) { return zip.NewReader(bytes.NewReader(hosted), int64(len(hosted))) }
