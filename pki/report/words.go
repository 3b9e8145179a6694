package report

import "fmt"

// Text is a sentence in the two languages. It is written without field names, so
// that the compiler refuses one that lacks a language.
type Text struct{ English, Chinese string }

// Say makes a Text of a sentence in English and in Chinese.
func Say(english, chinese string) Text { return Text{english, chinese} }

// In returns the sentence in a language.
func (t Text) In(lang Lang) string {
	if lang == Chinese {
		return t.Chinese
	}
	return t.English
}

// With fills the sentence in; names are safe to print.
func (t Text) With(lang Lang, args ...any) string {
	shown := make([]any, len(args))
	for i, arg := range args {
		if s, ok := arg.(string); ok {
			arg = Printable(s)
		}
		shown[i] = arg
	}
	return fmt.Sprintf(t.In(lang), shown...)
}

// phrases are texts by what they are of, a list for the reason that [messages] are.
type phrases[K comparable] []struct {
	key K
	Text
}

func (p phrases[K]) of(key K) (Text, bool) {
	for _, phrase := range p {
		if phrase.key == key {
			return phrase.Text, true
		}
	}
	return Text{}, false
}

// Words of the picture of a plan.
var (
	textExisting    = Text{"exists, SHA-256 %s...", "已有，SHA-256 %s…"}
	textServiceKept = Text{"+ %d kept", "+ 保留 %d 把"}
	textKeyOf       = Text{"private key of %s", "%s的私钥"}
	textPaperReadme = Text{"what this is and what to do with it", "说明这是什么、该如何处理"}
	textPaperPrints = Text{"SHA-256 of every certificate", "每张证书的 SHA-256"}
	textPaperPlan   = Text{"everything that was decided", "所有已作出的决定"}
)

// What comes after making: titles for a page, sentences for both.
var (
	titleSeal   = Text{"Encrypt the offline part", "加密离线部分"}
	titleSafe   = Text{"Put the offline part away", "收好离线部分"}
	titleUnpack = Text{"Unpack on the first server", "在第一台服务器上解包"}
	titleJoin   = Text{"Let nodes join", "让其他节点加入"}
	titleNever  = Text{"Never into a running cluster", "切勿用于正在运行的集群"}
	titleVerify = Text{"Verify", "验证"}

	textNotEncrypted = Text{"%s is not encrypted (--encrypt-to, --passphrase)", "%s 未加密（可用 --encrypt-to、--passphrase）"}
	textMoveOffline  = Text{"now move %s off this machine and keep two copies: rotation needs it", "请把 %s 移出本机并保存两份：轮换时需要它"}
	textInstall      = Text{"on the first server, before %s starts for the first time:", "在第一台服务器上，%s 首次启动之前："}
	textJoin         = Text{"further nodes join at https://FIRST-SERVER:%d with the token", "其他节点凭令牌加入 https://首台服务器:%d"}
	textNotRunning   = Text{"never unpack into a cluster that runs: its only way in is `%s certificate rotate-ca`, which wants the old CA's signature", "切勿解包到正在运行的集群里：唯一的入口是 `%s certificate rotate-ca`，它要求由旧 CA 签名"}
	textNextVerify   = Text{"next: rootkiln verify %s", "下一步：rootkiln verify %s"}
)

// offlineText is the README of the offline part: distribution, name, time,
// topology, plan digest, token.
var offlineText = Text{`OFFLINE PART OF A CLUSTER'S CERTIFICATE AUTHORITIES

Distribution: %s   Name: %s   Made: %s   Topology: %s
Plan digest:  %s
Token:        %s

WHAT THIS IS
  root-ca.*          signs the intermediate; outsiders verify the cluster against it
  intermediate-ca.*  signs server-ca (in topology shared: all five leaf CAs)
  *-root.*           domain roots (topology isolated): who may log in, be a front
                     proxy or reach etcd is decided by these
  plan.json          everything that was decided, in canonical form
  fingerprints.txt   SHA-256 of every certificate

WHAT TO DO
  1. Keep this away from every server and every network. Whoever holds a key from
     here can enter the cluster.
  2. Keep two copies in two places, on media you will be able to read in ten years.
  3. You need it again to rotate: with these keys new leaf CAs replace the old ones
     without the cluster noticing. Without them a rotation breaks every node.
  4. The certificates (.crt) are public. root-ca.crt is what clients need to trust.
`, `集群证书颁发机构（CA）的离线部分

发行版：%s   名称：%s   生成时间：%s   拓扑：%s
计划摘要：%s
令牌：%s

内容
  root-ca.*          签发中间 CA；集群外部以它验证集群
  intermediate-ca.*  签发 server-ca（shared 拓扑下签发全部五个叶子 CA）
  *-root.*           各信任域的根（isolated 拓扑）：谁可以登录、谁可以充当前端代理、
                     谁可以访问 etcd，都由它们决定
  plan.json          规范形式的完整计划
  fingerprints.txt   每张证书的 SHA-256

怎么做
  1. 让它远离所有服务器和网络。持有其中任何一把私钥的人都能进入集群。
  2. 保存两份，放在两处，使用十年后仍能读取的介质。
  3. 轮换时还需要它：用这些私钥可以换上新的叶子 CA，而集群毫无察觉。
     没有它们，轮换会让所有节点失联。
  4. 证书（.crt）是公开的。客户端需要信任的是 root-ca.crt。
`}
