package main

import "rootkiln/pki/k3s"

var rotateAbout = about{
	use:   "rotate OLD",
	short: text{"make the next bundle of a running cluster, with the verdict of rotate-ca", "为运行中的集群生成下一代套件，并预告 rotate-ca 的答复"},
	long: text{
		"Makes the files that follow those of a running cluster, beside them: OLD is the\ntls directory of a server, the one above it, or an archive, and stays as it is. With\nthe keys of its issuers: new CAs under the same roots. With --new-root, or where k3s\nmade its CAs by itself: new roots, cross-signed by the old ones. Nothing else\nchanges unless a flag says so, and rotate-ca accepts what is made without --force.\n\nA key is told by its certificate, so --inputs OFFLINE with the offline part of the\nbundle is enough; a CA whose issuer's key is missing stays. The change of a root can\ngo in three steps, each with a restart of every node: a (the new root signs, the old\none is still trusted alone; the join token stays, but not where k3s made its CAs by\nitself), b (both are trusted), c (the old one goes). Without --step, a and b are one.",
		"在运行中集群的证书旁边生成接替它们的文件：OLD 是服务器的 tls 目录、其上级目录或归档，\n不会被改动。给出签发者的私钥：在原有的根之下生成新的 CA。加 --new-root，或集群的 CA\n由 k3s 自行生成时：生成新的根，并由旧根交叉签名。除选项指明的以外一切不变，\n生成的文件无需 --force 即可被 rotate-ca 接受。\n\n私钥由证书识别，因此用 --inputs 给出套件的离线部分即可；缺少签发者私钥的 CA 保持不变。\n换根可分三步，每步之后重启所有节点：a（由新根签发，仍只信任旧根；加入令牌不变，\n但 CA 由 k3s 自行生成的集群除外）、b（同时信任两者）、c（去掉旧根）。不加 --step 时\na 与 b 合为一步。"},
	example: `
  rootkiln rotate tls --inputs tls-offline.tar.gz
  rootkiln rotate shared-tls --root-key root-ca.key --intermediate-key intermediate-ca.key --out next
  rootkiln rotate tls --inputs tls-offline.tar.gz --only client-ca --out client.tar.gz
  rootkiln rotate tls --inputs tls-offline.tar.gz --new-root --step a --out step-a.tar.gz
  rootkiln rotate tls --service-key-only --out service.tar.gz`,
}

var (
	flagRotateOnly         = text{"change these CAs alone: server-ca, client-ca, request-header-ca, etcd-peer-ca, etcd-server-ca", "只更换这些 CA：server-ca、client-ca、request-header-ca、etcd-peer-ca、etcd-server-ca"}
	flagRotateNewRoot      = text{"new roots, cross-signed by the old ones", "换新的根，并由旧根交叉签名"}
	flagRotateStep         = text{"one step of a change of roots: a (new root signs), b (new root comes), c (old root goes)", "换根的一步：a（由新根签发）、b（加入新根）、c（去掉旧根）"}
	flagRotateIntermediate = text{"a new intermediate too, although the key of the present one is there", "即使有现有中间 CA 的私钥，也更换中间 CA"}
	flagRotateSameKey      = text{"new dates for the present keys and names", "保留现有密钥与名称，只换新的有效期"}
	flagRotateService      = text{"a new service key too, before those of today", "同时更换服务密钥，排在现有密钥之前"}
	flagRotateServiceOnly  = text{"a new service key and nothing else", "只更换服务密钥"}
	flagRotatePrune        = text{"of the old service keys keep only the one that signs today", "旧的服务密钥只保留目前用于签名的那一把"}
	flagRotateInputs       = text{"offline part of a bundle (archive or directory), or a directory of the upstream script: its keys and certificates", "套件的离线部分（归档或目录），或上游脚本的目录：读取其中的私钥和证书"}
	flagRotateToken        = text{"server/token of a server: print the full token of afterwards", "服务器的 server/token 文件：输出轮换之后的完整令牌"}
	flagRotateAgentToken   = text{"server/agent-token of a server: print the full agent token of afterwards", "服务器的 server/agent-token 文件：输出轮换之后的完整 agent 令牌"}

	wordChange      = text{"change", "变更"}
	wordChanged     = text{"new files", "新的文件"}
	wordKept        = text{"as before", "保持不变"}
	wordNewRoots    = text{"new keys", "新的私钥"}
	wordServiceKey  = text{"service key", "服务密钥"}
	wordTokenBefore = text{"token today", "目前的令牌"}
	wordTokenAfter  = text{"token then", "之后的令牌"}
	wordServerToken = text{"server token", "服务器令牌"}
	wordAgentToken  = text{"agent token", "agent 令牌"}

	headSteps = text{"What to do, in this order", "按以下顺序操作"}
	msgStep   = text{"%s: %s", "%s：%s"}
	listComma = text{", ", "、"}

	msgRotateServerPart     = text{"to be offered to rotate-ca: %d files", "提交给 rotate-ca：%d 个文件"}
	msgRotateService        = text{"a new one signs, those of today verify", "由新的密钥签名，现有密钥仍用于验证"}
	msgRotateSealed         = text{"%s is encrypted: open it first (age -d), into memory if this machine has a disk that outlives the ceremony", "%s 已加密：请先解开（age -d）；若本机磁盘会留存到仪式之后，请解到内存中"}
	msgRotateNothingOffline = text{"no new key for the safe: %s was not written", "没有需要放入保险柜的新私钥：未写入 %s"}
	msgRotateRefusedAll     = text{"%s was made, but has the errors above: do not offer it before they are understood", "已生成 %s，但存在上述错误：弄清楚之前请不要提交"}
	msgRotateNext           = text{"next: rootkiln verify %s --against %s, once more on the day: the files of the servers may have changed", "下一步：rootkiln verify %s --against %s；操作当天请再执行一次，因为服务器上的文件可能已有变化"}
)

// changeWords say what a rotation does.
var changeWords = map[k3s.Change]text{
	k3s.ChangeCAs:     {"new CAs under the same roots", "在原有的根之下生成新的 CA"},
	k3s.ChangeSameKey: {"new dates for the same keys", "密钥不变，换新的有效期"},
	k3s.ChangeRoots:   {"new roots, cross-signed by the old ones", "换新的根，由旧根交叉签名"},
	k3s.ChangeRootsA:  {"step a: new roots sign, the old ones alone are trusted", "步骤 a：由新根签发，仍只信任旧根"},
	k3s.ChangeRootsB:  {"step b: the new roots are trusted too", "步骤 b：同时信任新根"},
	k3s.ChangeRootsC:  {"step c: the old roots go", "步骤 c：去掉旧根"},
	k3s.ChangeService: {"the service key alone", "只更换服务密钥"},
}
