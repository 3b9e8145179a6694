package engine

import (
	"context"
	"errors"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// FailureKind says what went wrong with a call.
type FailureKind string

const (
	Usage      FailureKind = "usage"      // the caller's fault
	Refused    FailureKind = "refused"    // findings say why
	Passphrase FailureKind = "passphrase" // wrong or missing
	Token      FailureKind = "token"      // the cluster's server token, wrong or missing
	Failed     FailureKind = "failed"     // anything else
)

// Failure is the error of a call, in the language asked for and without secrets.
type Failure struct {
	Kind     FailureKind `json:"kind"`
	Message  string      `json:"message"`
	Findings []Finding   `json:"findings"`
	File     string      `json:"file,omitempty"` // that wants a passphrase or a token
}

func (f *Failure) Error() string { return f.Message }

// Finding is a finding with its sentences.
type Finding struct {
	Code     pki.Code          `json:"code"`
	Severity pki.Severity      `json:"severity"`
	Subject  string            `json:"subject"`
	Args     map[string]string `json:"args,omitempty"`
	What     string            `json:"what"`
	Why      string            `json:"why"`
	Fix      string            `json:"fix"`
}

// explain puts findings into the language of the call and the words of the
// distribution at hand.
func (c *call) explain(findings []pki.Finding) []Finding {
	out := make([]Finding, len(findings))
	for i, f := range findings {
		m := report.ExplainFor(f, c.Lang, c.distro)
		args := make(map[string]string, len(f.Args))
		for name, value := range f.Args {
			args[name] = report.Printable(value)
		}
		out[i] = Finding{f.Code, f.Severity, report.Printable(f.Subject), args, m.What, m.Why, m.Fix}
	}
	return out
}

// said is a failure whose language is not known yet.
type said struct {
	kind FailureKind
	file string
	text report.Text
	args []any
}

func (s *said) Error() string { return s.text.With(report.English, s.args...) }

func usage(text report.Text, args ...any) error  { return &said{kind: Usage, text: text, args: args} }
func failed(text report.Text, args ...any) error { return &said{kind: Failed, text: text, args: args} }

// locked are the findings that a secret ends, with what it is.
var locked = map[pki.Code]FailureKind{
	"key-encrypted": Passphrase, "key-passphrase": Passphrase,
	"seal-locked": Passphrase, "seal-passphrase": Passphrase, "seal-recipients": Passphrase,
	"bootstrap-token": Token, "token-format": Token,
}

// failure is what a page is told of an error.
func (c *call) failure(err error) *Failure {
	f := &Failure{Kind: Failed, Findings: []Finding{}}
	var refusal *pki.Refusal
	var own *said
	switch {
	case errors.As(err, &refusal):
		f.Kind, f.Findings = Refused, c.explain(refusal.Findings)
		f.Message = f.Findings[0].What
		if first := refusal.Findings[0]; locked[first.Code] != "" {
			f.Kind, f.File = locked[first.Code], first.Subject
		}
	case errors.As(err, &own):
		f.Kind, f.File, f.Message = own.kind, own.file, own.text.With(c.Lang, own.args...)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		f.Message = sayCancelled.In(c.Lang)
	default:
		f.Message = report.Printable(err.Error())
	}
	return f
}

// What is wrong with a call itself.
var (
	sayMethod     = report.Say("there is no method %s; the methods are: %s", "没有方法 %s；可用的方法：%s")
	sayParameters = report.Say("the parameters are not JSON of the form that the method takes", "参数不是该方法所要求的 JSON")
	sayField      = report.Say("the parameter %s is unknown or of another type", "参数 %s 未知，或类型不符")
	sayInternal   = report.Say("%s failed within; this is a defect of rootkiln", "%s 内部出错；这是 rootkiln 的缺陷")
	sayCancelled  = report.Say("cancelled; nothing was made", "已取消；未生成任何东西")
	sayYAML       = report.Say("line %d is YAML in a form that is not read here. As JSON everything is read: yq -o json plan.yaml", "第 %d 行是此处不读取的 YAML 写法。JSON 则都能读取：yq -o json plan.yaml")
	sayToken      = report.Say("%s is what k3s keeps of its CAs in the datastore. It opens with the server token: what stands in server/token or in --token", "%s 是 k3s 存放在数据存储中的 CA 数据，需用服务器令牌打开：即 server/token 的内容，或 --token 的值")
	sayRange      = report.Say("the set of files %s reaches beyond the files of the call", "文件集 %s 超出了本次调用的文件范围")
	sayEmptySet   = report.Say("there is no file in %s that could be read as one of a cluster", "%s 中没有可作为集群文件读取的内容")
	sayChoice     = report.Say("%s: %s is not one of %s", "%s：%s 不在可选值之内：%s")
	sayServer     = report.Say("%s is not the address of an API server (https://NAME:PORT)", "%s 不是 API 服务器的地址（https://名称:端口）")
	sayQRLong     = report.Say("the text is too long for a QR code: %d bytes, 2953 at most", "文本太长，无法放入二维码：%d 字节，最多 2953 字节")
	sayWithin     = report.Say("%s: 120d or 1y was expected", "%s：应为 120d 或 1y 的形式")
)
