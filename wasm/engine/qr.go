package engine

import (
	"context"
	"fmt"
	"strings"

	"rsc.io/qr"
)

// qrParams are those of qr.
type qrParams struct {
	common
	Text string `json:"text"`
}

// quiet is the margin of a QR code, in modules (ISO/IEC 18004, 9.1).
const quiet = 4

// qrCode is the value of qr. Size counts the modules on a side, margin included;
// path is what is dark, one unit a module, for a page that makes its own elements.
type qrCode struct {
	Size int    `json:"size"`
	SVG  string `json:"svg"`
	Path string `json:"path"`
}

func (c *call) qr(_ context.Context, p *qrParams) (*qrCode, error) {
	code, err := qr.Encode(p.Text, qr.L)
	if err != nil {
		return nil, usage(sayQRLong, len(p.Text))
	}
	out := &qrCode{Size: code.Size + 2*quiet, Path: dark(code)}
	out.SVG = fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[1]d" shape-rendering="crispEdges">`+
		`<path fill="#fff" d="M0 0h%[1]dv%[1]dH0z"/><path fill="#000" d="%[2]s"/></svg>`, out.Size, out.Path)
	return out, nil
}

// dark draws each run of dark modules in a row as one rectangle.
func dark(code *qr.Code) string {
	var b strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for x+run < code.Size && code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	return b.String()
}
