package main

var (
	bootstrapAbout = about{
		use:   "bootstrap",
		short: text{"open what k3s keeps of the CAs in its datastore", "打开 k3s 存放在数据存储中的各 CA"},
		long: text{
			"Opens the bootstrap data: the cluster's authorities as every server keeps them in\nthe datastore, encrypted with the server token. Inputs: the bare value; what\n`etcdctl get --prefix /bootstrap/` prints (plain, --print-value-only, -w json,\n-w fields); JSON with keys and values; the file state.db of a server without etcd,\nwith its state.db-wal beside it. The token comes from --token-file (- is standard\ninput) or is asked on the terminal.",
			"打开引导数据：每台服务器都把集群的各 CA 以服务器令牌加密后存放在数据存储中。\n可读取：单独的值；`etcdctl get --prefix /bootstrap/` 的输出（普通形式、\n--print-value-only、-w json、-w fields）；含键和值的 JSON；不用 etcd 的服务器的\nstate.db 文件，连同旁边的 state.db-wal。令牌取自 --token-file（- 表示标准输入），\n或在终端询问。"},
		example: `
  rootkiln bootstrap list value --token-file token
  rootkiln bootstrap extract value --token-file token --out recovered`,
	}
	bootstrapListAbout = about{
		use:   "list EXPORT",
		short: text{"list the files in the data, with sizes, times and fingerprints", "列出数据中的文件及其大小、时间和指纹"},
		long: text{
			"Lists the files in the bootstrap data. The fingerprint is the SHA-256 of the first\ncertificate, or of the public half of the first key. Nothing secret is shown.",
			"列出引导数据中的文件。指纹是第一张证书的 SHA-256，或第一把密钥公钥部分的 SHA-256。\n不显示任何秘密。"},
		example: `
  rootkiln bootstrap list value --token-file token
  rootkiln bootstrap list state.db --token-file token -o json
  rootkiln bootstrap list - --token-file token -o wide < value`,
	}
	bootstrapExtractAbout = about{
		use:   "extract EXPORT",
		short: text{"write the files as a server has them: tls and cred", "按服务器上的样子写出文件：tls 与 cred"},
		long: text{
			"Writes the files of the bootstrap data into a new directory or archive, under the\npaths of a server: tls/... and cred/.... They hold every CA key of the cluster.",
			"把引导数据中的文件写入新的目录或归档，路径与服务器上相同：tls/… 和 cred/…。\n其中含有集群的全部 CA 私钥。"},
		example: `
  rootkiln bootstrap extract value --token-file token
  rootkiln bootstrap extract state.db --token-file token --out recovered.tar.gz`,
	}
	bootstrapCompareAbout = about{
		use:   "compare EXPORT PATH",
		short: text{"compare the data with a server's files, as k3s does at its start", "把数据与服务器上的文件比较，与 k3s 启动时相同"},
		long: text{
			"Says for each file what a server would make of it at its next start: nothing, write\nit from the datastore, or not start. PATH is a server directory, its tls directory,\nor an archive of one.",
			"逐个文件说明服务器下次启动时会怎么做：不动、从数据存储写出，还是拒绝启动。\nPATH 是 server 目录、其中的 tls 目录，或它们的归档。"},
		example: `
  rootkiln bootstrap compare value server --token-file token
  rootkiln bootstrap compare value server/tls --token-file token -o json`,
	}
	bootstrapRekeyAbout = about{
		use:   "rekey EXPORT",
		short: text{"encrypt the data under a new server token", "用新的服务器令牌重新加密数据"},
		long: text{
			"Encrypts the same data under another server token, and prints the key under which\na server with that token looks for it. Where a server runs, `k3s token rotate` does\nthis and more; here it is done without one, for SQLite or an etcd of its own.",
			"用另一个服务器令牌加密同样的数据，并打印持该令牌的服务器会去查找的键。\n有服务器在运行时，`k3s token rotate` 能做到这一点并且更多；这里不需要服务器，\n适用于 SQLite 或独立的 etcd。"},
		example: `
  rootkiln bootstrap rekey value --token-file token --new-token-file new-token
  rootkiln bootstrap rekey state.db --token-file token --new-token-file new-token --out again.value --output json`,
	}

	flagTokenFile    = text{"file with the server token; - is standard input (default: asked on the terminal)", "存放服务器令牌的文件；- 表示标准输入（默认在终端询问）"}
	flagNewTokenFile = text{"file with the new server token (default: asked on the terminal)", "存放新服务器令牌的文件（默认在终端询问）"}
	flagExtractOut   = text{"directory or archive (.tar.gz .tgz .tar) to make; - is an archive on standard output", "要创建的目录或归档（.tar.gz .tgz .tar）；- 表示把归档写到标准输出"}
	flagRekeyOut     = text{"file to make; - is standard output", "要创建的文件；- 表示标准输出"}

	wordStandardOutput = text{"standard output", "标准输出"}

	wordKey   = text{"key", "键"}
	wordWhole = text{"files", "文件"}

	headFile   = text{"FILE", "文件"}
	headSize   = text{"BYTES", "字节"}
	headTime   = text{"TIME", "时间"}
	headFinger = text{"SHA-256", "SHA-256 指纹"}
	headHolds  = text{"HOLDS", "内容"}
	headName   = text{"NAME", "名称"}
	headState  = text{"AT THE NEXT START", "下次启动时"}
	headStored = text{"STORED", "存储时间"}
	headDisk   = text{"ON DISK", "磁盘时间"}

	msgAskToken       = text{"Server token: ", "服务器令牌："}
	msgAskNewToken    = text{"New server token: ", "新的服务器令牌："}
	msgNoTerminalTok  = text{"there is no terminal to ask for the token; use --token-file", "没有终端可供询问令牌；请使用 --token-file"}
	msgNoTerminalNew  = text{"there is no terminal to ask for the new token; use --new-token-file", "没有终端可供询问新令牌；请使用 --new-token-file"}
	msgTokensDiffer   = text{"the two tokens differ; nothing was written", "两次输入的令牌不一致；未写入任何文件"}
	msgTokenEmpty     = text{"%s holds no token", "%s 中没有令牌"}
	msgTwoInputs      = text{"only one input can be standard input", "只能有一个输入来自标准输入"}
	msgExportTooLarge = text{"%s has more than %d MiB; export the keys under /bootstrap/ alone", "%s 超过 %d MiB；请只导出 /bootstrap/ 之下的键"}
	msgHotJournal     = text{"%[1]s was being written when it was copied (%[1]s-journal is beside it); open it once with `sqlite3 %[1]s .tables`, which completes it, then try again", "%[1]s 在复制时正被写入（旁边有 %[1]s-journal）；请用 `sqlite3 %[1]s .tables` 打开一次使其完整，然后重试"}
	msgNoKey          = text{"the value came without its key", "导出中只有值，没有键"}
	msgCAFiles        = text{"%d, of them %d of the %d of the authorities", "%d 个，其中 %d 个属于各 CA（应有 %d 个）"}
	msgPlainForm      = text{"notice: the form from before December 2021, which keeps no times", "提示：这是 2021 年 12 月之前的格式，不保存时间"}
	msgNothingKnown   = text{"the data holds no file that is known here; nothing was written", "数据中没有本程序认识的文件；未写入任何东西"}
	msgCredNotSeen    = text{"notice: %s is a tls directory alone; the files in cred, beside it, were not compared", "提示：%s 只是 tls 目录；没有比较旁边 cred 中的文件"}
	msgEachSame       = text{"the same: %d of %d files", "相同：%d / %d 个文件"}

	msgListNext    = text{"next: rootkiln bootstrap extract %s --out DIR", "下一步：rootkiln bootstrap extract %s --out DIR"}
	msgExtractKeys = text{"warning: %s holds every CA key of the cluster", "警告：%s 含有集群的全部 CA 私钥"}
	msgSameNext    = text{"next: nothing to do; `rootkiln verify %s` judges the certificates themselves", "下一步：无须处理；可用 `rootkiln verify %s` 检查证书本身"}
	msgDiffersNext = text{"next: keep a copy of %s before the server starts again", "下一步：在服务器再次启动之前，先为 %s 留一份副本"}
	msgRekeySame   = text{"both tokens have the same password, and it alone decides the key (%s) and the encryption: the value in the datastore stays as it is, no rekey is needed; nothing was written", "两个令牌的密码相同，而键（%s）与加密只取决于密码：数据存储中的值无须改动，不需要 rekey；未写入任何文件"}
	msgRekeyRotate = text{"next, with embedded etcd, MySQL or PostgreSQL: this file cannot be put there while the servers are stopped; start one with the old token and have it do all of it: k3s token rotate --new-token PASSWORD", "下一步（内嵌 etcd、MySQL 或 PostgreSQL）：服务器停止时无法写入此文件；请用旧令牌启动一台服务器，由它完成全部工作：k3s token rotate --new-token 密码"}
	msgRekeyEtcd   = text{"next, with an etcd of its own and every server stopped (two keys stop a rotation): etcdctl put %[1]s < %[2]s && etcdctl del %[3]s", "下一步（独立的 etcd，先停止所有服务器；两个键并存会妨碍轮换）：etcdctl put %[1]s < %[2]s && etcdctl del %[3]s"}
	msgRekeySQLite = text{"next, with SQLite and the server stopped (it prints how many rows it changed: 0 means none, look at the paths): %s", "下一步（SQLite，先停止服务器；它会输出改动的行数：0 表示没有改动，请检查路径）：%s"}
	msgRekeyStart  = text{"then start every server with the new token", "然后让所有服务器以新令牌启动"}
)

// fileStates say what a server makes of a file.
var fileStates = map[string]text{
	"same":     {"the same", "相同"},
	"newer":    {"k3s does not start: newer here", "k3s 不启动：这里的更新"},
	"replaced": {"replaced from the datastore", "由数据存储的内容替换"},
	"missing":  {"written from the datastore", "从数据存储写出"},
}
