package report

import (
	"fmt"
	"strconv"
	"strings"

	"rootkiln/pki"
)

// roles names the roles for people: English, Chinese.
var roles = phrases[pki.Role]{
	{pki.Root, Text{"root CA", "根 CA"}},
	{pki.Intermediate, Text{"intermediate CA", "中间 CA"}},
	{pki.ServerCA, Text{"server CA", "服务端 CA"}},
	{pki.ClientCA, Text{"client CA", "客户端 CA"}},
	{pki.RequestHeaderCA, Text{"request-header CA", "请求头 CA"}},
	{pki.EtcdPeerCA, Text{"etcd peer CA", "etcd 对等 CA"}},
	{pki.EtcdServerCA, Text{"etcd server CA", "etcd 服务端 CA"}},
	{pki.ClientRoot, Text{"client root CA", "客户端根 CA"}},
	{pki.RequestHeaderRoot, Text{"request-header root CA", "请求头根 CA"}},
	{pki.EtcdPeerRoot, Text{"etcd peer root CA", "etcd 对等根 CA"}},
	{pki.EtcdServerRoot, Text{"etcd server root CA", "etcd 服务端根 CA"}},
	{pki.Service, Text{"service account key", "服务账号密钥"}},
	{pki.Lint, Text{"throw-away check key", "一次性检查密钥"}},
}

// RoleName is what people call a role. A role that is not known keeps its
// identifier, made [Printable].
func RoleName(role pki.Role, lang Lang) string {
	names, ok := roles.of(role)
	if !ok {
		return Printable(string(role))
	}
	return names.In(lang)
}

// roleNames names a list of roles with commas between them. A value with
// anything else in it stays as it is: subjects are paths and names as well. Behind
// # is the place in the chain of a role.
func roleNames(list string, lang Lang) string {
	names := strings.Split(list, ", ")
	for i, id := range names {
		id, place, chained := strings.Cut(id, "#")
		n, err := strconv.Atoi(place)
		if _, ok := roles.of(pki.Role(id)); !ok || chained && err != nil {
			return Printable(list)
		}
		names[i] = RoleName(pki.Role(id), lang)
		if chained {
			names[i] += fmt.Sprintf(map[Lang]string{English: " (certificate %d of its chain)", Chinese: "（其证书链中第 %d 张）"}[lang], n)
		}
	}
	if lang == Chinese {
		return strings.Join(names, "、")
	}
	return strings.Join(names, ", ")
}

// coreWords translates the few words that the core itself puts into arguments,
// by argument. Text that comes from libraries stays English.
var coreWords = []struct {
	argument string
	words    []string // one in English, what it is in Chinese, and so on
}{
	{"files", []string{", ", "、"}},
	{"limit", []string{" bytes", " 字节", " entries", " 个条目"}},
	{"key", []string{", exponent ", "，指数 ", ", close primes", "，两个素数过于接近"}},
	{"what", []string{", ", "、", "byte order mark", "字节序标记（BOM）", "CR line ends", "CR 换行符",
		"no last newline", "末尾缺少换行符", "headers in a block", "块内有头部字段", "JSON around the blocks", "块外包着 JSON", "text around the blocks", "块外有文字"}},
	{"kind", []string{"hard link", "硬链接", "symbolic link", "符号链接", "device", "设备文件",
		"pipe", "管道", "special entry", "特殊条目", "unsafe name", "不安全的名称"}},
	{"detail", []string{"not base64 between the markers", "标记之间不是 base64",
		"more than one document", "文件中有多个文档", "no document", "文件中没有文档", "no entries", "没有任何条目",
		"no self-signed root in the file", "文件中没有自签名的根 CA",
		"the hash behind K10 is not 64 characters long", "K10 之后的哈希不是 64 个字符",
		"no user and password behind K10", "K10 之后没有用户名和密码", "no password", "没有密码",
		"a bootstrap token for agents", "这是 agent 用的引导令牌",
		"it does not begin with 16 hexadecimal digits and a colon", "开头不是 16 位十六进制数字加冒号",
		"not base64 behind the colon", "冒号之后不是 base64", "too short for a nonce and a tag", "太短，容不下随机数和认证标签",
		"its tag does not fit, so it was changed", "认证标签不符，说明内容被改动过",
		"what it decrypts to is not k3s's JSON", "解密后的内容不是 k3s 的 JSON", "a member of it holds no file", "其中有一项不是文件",
		"an etcd snapshot or database", "这是 etcd 快照或数据库",
		"neither a value nor an export that is read here", "既不是值，也不是可读取的导出",
		"a field that is not quoted", "有字段未加引号", "a value without a key", "有值而没有键",
		"not JSON to the end", "不是完整的 JSON", "JSON of another form than keys and values", "不是键和值形式的 JSON"}},
	{"format", []string{"EC in PKCS#8", "PKCS#8 格式的 EC 密钥"}},
}

// coreReplacer translates what the core puts into an argument; nil where it puts
// no words.
func coreReplacer(argument string) *strings.Replacer {
	for _, c := range coreWords {
		if c.argument == argument {
			return strings.NewReplacer(c.words...)
		}
	}
	return nil
}
