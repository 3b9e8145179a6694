package main

var (
	inspectAbout = about{
		use:   "inspect PATH…",
		short: text{"show what is in certificate files: who signs what, until when", "查看证书文件的内容：谁签发了谁，何时到期"},
		long: text{
			"Draws the tree of every certificate in the given paths, by verified signature, with\nthe private keys that belong to them. A path is a directory (a tls directory or a\nwhole node), an archive, a PEM file, a kubeconfig or dynamic-cert.json. Nothing is\njudged; verify does that.",
			"按已验证的签名关系画出给定路径中所有证书的树，并标出对应的私钥。路径可以是目录\n（tls 目录或整个节点）、归档、PEM 文件、kubeconfig 或 dynamic-cert.json。\n本命令不作判断；判断请用 verify。"},
		example: `
  rootkiln inspect tls.tar.gz
  rootkiln inspect tls root-ca.crt -o wide
  rootkiln inspect tls.tar.gz --at 2036-12-01 -o json`,
	}
	verifyAbout = about{
		use:   "verify PATH",
		short: text{"judge a bundle before a server starts with it", "在服务器使用套件之前判断它是否可靠"},
		long: text{
			"Judges a server bundle (directory or archive): pairs, chains, profiles, names, the\njoin token, and whether every certificate that the server will make verifies in both\nways that clients use. k3s itself checks nothing at its first start.\n\nWith --against, judges it as what `rotate-ca` is to put in the place of files that run:\nwhat the server will answer, file by file, and what it does not check and breaks.\nFiles that are not offered are the server's own.\n\nEnds with 3 when something is wrong or would be refused, with 0 when there are\nwarnings at most.",
			"判断服务器套件（目录或归档）：证书与私钥配对、证书链、证书配置、名称、加入令牌，以及\n服务器将要签发的每张证书能否通过客户端的两种校验方式。k3s 自身在首次启动时不作任何检查。\n\n加 --against 时，按用 `rotate-ca` 替换现有文件来判断：服务器对每个文件会如何答复，\n以及它不检查却会因此中断的一切。没有提交的文件沿用服务器现有的。\n\n发现错误或会被拒绝时退出码为 3，至多只有警告时为 0。"},
		example: `
  rootkiln verify tls.tar.gz
  rootkiln verify tls -o wide
  rootkiln verify tls.tar.gz --at 2036-01-01 -o json
  rootkiln verify tls.tar.gz --against tls`,
	}

	wordBundle    = text{"bundle", "套件"}
	wordProbes    = text{"probes", "试签"}
	wordSerial    = text{"serial", "序列号"}
	wordSignature = text{"signature", "签名算法"}
	wordPlace     = text{"place", "位置"}

	headKeysAlone    = text{"Private keys without a certificate here", "此处没有对应证书的私钥"}
	headCertificates = text{"Certificates", "证书"}

	msgInspectNothing = text{"%s holds no certificate and no private key", "%s 中没有证书，也没有私钥"}
	msgMorePlaces     = text{" +%d", " +%d"}
	msgWithKey        = text{"+ key", "+ 私钥"}
	msgEndsIn         = text{"→ %s (%d d)", "→ %s（%d 天）"}
	msgEnded          = text{"ended %s", "已于 %s 到期"}
	msgBegins         = text{"begins %s", "%s 才生效"}

	wordDefaultCAs     = text{"default", "默认（k3s 自建）"}
	wordMixed          = text{"mixed", "混合"}
	msgTopologyUnknown = text{"topology not recognised", "无法识别拓扑"}
	msgProbes          = text{"each CA file trusted whole (Go) %d of %d, up to the root (OpenSSL, Java) %d of %d", "整个 CA 文件均受信任（Go）%d/%d，验证到根（OpenSSL、Java）%d/%d"}
	msgProbesSkipped   = text{"; %d not tried, their CA has no key that fits", "；%d 张未试签，其 CA 没有匹配的私钥"}
	msgVerifyNext      = text{"next: rootkiln token %s prints the token alone", "下一步：rootkiln token %s 单独打印令牌"}
	msgMoreFindings    = text{"and %d more: -o wide", "另有 %d 项：-o wide"}
	msgSound           = text{"sound: errors %d, warnings %d, notices %d", "可靠：错误 %d，警告 %d，提示 %d"}
	msgUnsound         = text{"not sound: errors %d, warnings %d, notices %d", "不可靠：错误 %d，警告 %d，提示 %d"}
)
