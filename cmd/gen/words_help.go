package main

// Help of the commands. Every example is run by a test.

var (
	rootAbout = about{
		use:   "rootkiln",
		short: text{"fire your cluster's certificate authorities, offline", "离线烧制集群的证书根基"},
		long: text{
			"rootkiln makes, signs and inspects the certificate authorities of k3s and RKE2\nclusters. Nothing is sent anywhere; no server is asked.",
			"rootkiln 为 k3s 与 RKE2 集群生成、签发并检查证书颁发机构（CA）。\n不发送任何数据，也不访问任何服务器。"},
		example: `
  rootkiln bundle
  rootkiln plan --topology shared
  rootkiln verify tls.tar.gz
  rootkiln token tls.tar.gz`,
	}
	bundleAbout = about{
		use:   "bundle",
		short: text{"make a cluster's CA bundle: server part and offline part", "生成集群 CA 套件：服务器部分与离线部分"},
		long: text{
			"Makes the complete custom-CA files of a cluster. The server part (eleven files)\ngoes to the first server before its first start; the offline part holds the keys\nof root, intermediate and domain roots, and no server may see it.",
			"生成集群所需的全部自定义 CA 文件。服务器部分（11 个文件）在首次启动之前放到第一台\n服务器上；离线部分保存根 CA、中间 CA 和各信任域根的私钥，任何服务器都不应接触它。"},
		example: `
  rootkiln bundle
  rootkiln bundle --distro rke2 --name edge-01 --out edge-01.tar.gz
  rootkiln bundle --root root-ca.crt --root-key root-ca.key --out own
  rootkiln bundle --topology shared --inputs old-tls --out same-names
  rootkiln bundle -f plan.yaml --out planned --passphrase-file pass --offline-out planned-safe.tar.gz`,
	}
	planAbout = about{
		use:   "plan",
		short: text{"show what a bundle would be: topology, timeline, files, digest", "预览套件：拓扑、时间线、文件、摘要"},
		long: text{
			"Resolves the plan and shows it; makes nothing. The digest is over the resolved\nplan: two people who read the same digest mean the same certificates.",
			"解析并展示计划，不生成任何东西。摘要针对解析后的计划计算：\n两个人读出相同的摘要，说的就是同一批证书。"},
		example: `
  rootkiln plan
  rootkiln plan --topology shared --profile upstream
  rootkiln plan -f plan.yaml -o json`,
	}
	rootCAAbout = about{
		use:   "root",
		short: text{"make a root CA alone", "单独生成根 CA"},
		long: text{
			"Makes a root CA into a directory: root-ca.crt and root-ca.key. The directory is\nfor the safe; a bundle takes it with --root and --root-key.",
			"把根 CA 生成到一个目录中：root-ca.crt 与 root-ca.key。该目录应放入保险柜；\n生成套件时用 --root 与 --root-key 引用它。"},
		example: `
  rootkiln root
  rootkiln root --root-alg p521 --root-validity 30y --out root-p521
  rootkiln root --organization 'Example Ltd' --out root-example`,
	}
	intermediateAbout = about{
		use:   "intermediate",
		short: text{"make an intermediate CA under a root", "在根 CA 之下生成中间 CA"},
		long: text{
			"Makes an intermediate CA into a directory: intermediate-ca.crt (with the chain up\nto the root) and intermediate-ca.key.",
			"把中间 CA 生成到一个目录中：intermediate-ca.crt（含直到根的证书链）与\nintermediate-ca.key。"},
		example: `
  rootkiln intermediate --root root-ca.crt --root-key root-ca.key
  rootkiln intermediate --root root-ca.crt --root-key root-ca.key --intermediate-validity 5y --out sub`,
	}
	requestAbout = about{
		use:   "request",
		short: text{"first room: keys and certificate requests for a CA that is elsewhere", "第一间屋：为别处的 CA 生成密钥和证书请求"},
		long: text{
			"Makes the keys whose certificates another machine signs, and their requests. Take\nthe .csr files and plan.json to that machine; state.json holds private keys and\nstays here.",
			"生成由另一台机器签发的那些密钥及其证书请求。把 .csr 文件和 plan.json 带到那台机器；\nstate.json 含有私钥，留在本机。"},
		example: `
  rootkiln request
  rootkiln request --topology shared --elsewhere root --out req-shared
  rootkiln request --elsewhere root,client-root --out req-two`,
	}
	signAbout = about{
		use:   "sign CSR",
		short: text{"second room: sign a request as the plan says", "第二间屋：按计划签发证书请求"},
		long: text{
			"Signs a certificate request. The request proves possession of its key and nothing\nelse: subject, dates and extensions are the plan's.",
			"签发证书请求。请求只证明持有私钥；主体、有效期和扩展一律以计划为准。"},
		example: `
  rootkiln sign -f request/plan.json --root root-ca.crt --root-key root-ca.key request/intermediate.csr`,
	}
	tokenAbout = about{
		use:   "token PATH",
		short: text{"print the join token's CA hash, before the first start", "在首次启动之前打印加入令牌的 CA 哈希"},
		long: text{
			"Prints K10<hash>:: exactly as the server will compute it from server-ca.crt. PATH\nis a bundle (directory or archive) or the file itself.",
			"打印 K10<哈希>::，与服务器根据 server-ca.crt 计算的结果完全一致。\nPATH 可以是套件（目录或归档），也可以是该文件本身。"},
		example: `
  rootkiln token tls.tar.gz
  rootkiln token tls/server-ca.crt -o json
  rootkiln token tls.tar.gz --at 2036-12-01`,
	}
	versionAbout = about{
		use:     "version",
		short:   text{"print the version", "打印版本"},
		long:    text{"Prints version, Go version and platform.", "打印版本、Go 版本和平台。"},
		example: "  rootkiln version\n  rootkiln version -o json",
	}
	helpAbout = about{
		use:     "help [COMMAND|exit-codes]",
		short:   text{"help of a command, or the exit codes", "某个命令的帮助，或退出码一览"},
		long:    text{"Explains a command, or lists the exit codes.", "说明一个命令，或列出退出码。"},
		example: "  rootkiln help bundle\n  rootkiln help exit-codes",
	}
	completionAbout = about{
		use:     "completion SHELL",
		short:   text{"print shell completion: bash, zsh, fish, powershell", "打印 shell 补全脚本：bash、zsh、fish、powershell"},
		long:    text{"Prints a completion script for a shell.", "打印 shell 的补全脚本。"},
		example: "  rootkiln completion bash\n  rootkiln completion zsh",
	}
	manAbout = about{
		use:     "man DIR",
		short:   text{"write man pages", "生成 man 手册页"},
		long:    text{"Writes one man page for each command into a directory.", "为每个命令在目录中生成一页 man 手册。"},
		example: "  rootkiln man man",
	}
)

// exitCodes are part of the interface: they do not change.
var exitCodes = []struct {
	code    int
	meaning text
}{
	{exitOK, text{"done and sound; warnings alone end so too", "完成且可靠；仅有警告时也是如此"}},
	{exitFailed, text{"failed", "失败"}},
	{exitUsage, text{"wrong usage or invalid plan", "用法错误或计划无效"}},
	{exitFindings, text{"findings of level error (verify, compare); something ends soon (check)", "存在错误级别的问题（verify、compare）；有证书即将到期（check）"}},
	{exitSecret, text{"wrong passphrase or token", "口令或令牌错误"}},
	{exitInterrupted, text{"interrupted; nothing was written", "已中断；未写入任何文件"}},
}
