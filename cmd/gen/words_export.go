package main

var (
	exportAbout = about{
		use:   "export FORMAT PATH",
		short: text{"write a bundle as text for an installer", "把套件写成安装工具所用的文本"},
		long: text{
			"Writes a server bundle (directory or archive) as text for an installer. Formats:\n\n  cloud-init  user data that puts the files on the first server\n  ansible     tasks, and variables for ansible-vault; needs --out DIR\n  config      fragments of config.yaml for servers and agents, with the token's hash\n  secret      Kubernetes Secret\n\nAll but config hold the private keys of the cluster. Only a complete and sound\nbundle is exported; the keys of root and intermediate never are.",
			"把服务器套件（目录或归档）写成安装工具所用的文本。格式：\n\n  cloud-init  把文件放到第一台服务器上的用户数据（user data）\n  ansible     任务文件，以及供 ansible-vault 加密的变量文件；需要 --out DIR\n  config      服务器与 agent 的 config.yaml 片段，含令牌的哈希\n  secret      Kubernetes Secret\n\n除 config 外，都含有集群的私钥。只导出完整无误的套件；根 CA 与中间 CA 的私钥从不导出。"},
		example: `
  rootkiln export cloud-init tls.tar.gz --out user-data.yaml
  rootkiln export ansible tls.tar.gz --out ansible-tls
  rootkiln export config tls.tar.gz --distro rke2
  rootkiln export secret tls.tar.gz --name edge-01 --namespace clusters --out secret.yaml`,
	}

	flagExportOut       = text{"file to make; directory for ansible; - is standard output (default -, but no keys to a terminal)", "要创建的文件；ansible 为目录；- 表示标准输出（默认 -，但私钥不会输出到终端）"}
	flagExportDistro    = text{"distribution (default: by the names in the certificates)", "发行版（默认按证书中的名称判断）"}
	flagExportName      = text{"secret: it is called NAME-ca (default: the distribution)", "secret：其名称为 NAME-ca（默认取发行版名）"}
	flagExportNamespace = text{"secret: its namespace (default: that of whoever creates it)", "secret：所在的命名空间（默认由创建者决定）"}

	msgExportDirectory = text{"%s makes several files; name a directory with --out", "%s 会生成多个文件；请用 --out 指定目录"}
	msgBadLabel        = text{"%s: %q is not a DNS label; use 1 to 63 lower-case letters, digits and hyphens", "%s：%q 不是 DNS 标签；请使用 1 到 63 个小写字母、数字或连字符"}
	msgExportSize      = text{"%d bytes", "%d 字节"}
	msgExportLimit     = text{"warning: %d bytes, and many clouds take no more than %d as user data; compress it with gzip -9, cloud-init unpacks it", "警告：共 %d 字节，而许多云平台的用户数据上限为 %d 字节；请用 gzip -9 压缩，cloud-init 会自行解压"}
	msgExportFor       = text{"for %s, which finds them in %s; --distro chooses another", "用于 %s，它在 %s 中读取这些文件；可用 --distro 另选"}
)

// exportNext is the next step after each form: the place.
var exportNext = map[string]text{
	"cloud-init": {"next: give %s to the first boot of the first server as user data, and to no other machine", "下一步：把 %s 作为用户数据，只交给第一台服务器的首次启动，不要给其他机器"},
	"ansible":    {"next: encrypt vars.yml in %s with ansible-vault; tasks.yml says how to include both", "下一步：用 ansible-vault 加密 %s 中的 vars.yml；两者的引用方法见 tasks.yml"},
	"config":     {"next: complete each token in %s with its password; no server or agent starts without one", "下一步：为 %s 中的每个令牌补上密码；没有密码，服务器和 agent 都不会启动"},
	"secret":     {"next: kubectl create -f %s (not apply, which keeps the keys in an annotation too)", "下一步：kubectl create -f %s（不要用 apply，它会在注解里再存一份私钥）"},
}
