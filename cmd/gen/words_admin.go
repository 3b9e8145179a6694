package main

var (
	adminAbout = about{
		use:   "admin PATH",
		short: text{"make an administrator's kubeconfig or certificate, before the first start", "在首次启动之前生成管理员的 kubeconfig 或证书"},
		long: text{
			"Signs a client certificate with the client CA of a bundle, as a server does for its\nown administrator, and puts it into a kubeconfig together with the trust anchor\n(all of server-ca.crt). PATH is a bundle or a server's tls directory with its keys.\nKubernetes has no revocation: the certificate is good until its end, so that is near.",
			"用套件中的客户端 CA 签发客户端证书（与服务器为自己的管理员所做的一样），并连同信任锚\n（完整的 server-ca.crt）写入 kubeconfig。PATH 是套件，或服务器上含私钥的 tls 目录。\nKubernetes 没有吊销机制：证书到期之前一直有效，因此有效期很短。"},
		example: `
  rootkiln admin tls.tar.gz
  rootkiln admin tls.tar.gz --server https://10.0.0.10:6443 --validity 8h --out edge.kubeconfig
  rootkiln admin tls.tar.gz --user alice --group developers --out alice.kubeconfig
  rootkiln admin tls.tar.gz --certificate --out admin`,
	}

	flagAdminOut    = text{"file to make, admin.kubeconfig if not given; with --certificate a directory or archive, admin if not given; - is standard output", "要创建的文件，未给出时为 admin.kubeconfig；与 --certificate 同用时为目录或归档，未给出时为 admin；- 表示标准输出"}
	flagAdminUser   = text{"user: the common name", "用户：证书的 CN"}
	flagAdminGroup  = text{"group: an organization in the subject (repeatable)", "组：写入主体的 O（可重复）"}
	flagAdminServer = text{"address of the API server", "API 服务器地址"}
	flagAdminLife   = text{"lifetime: 24h, 30d or an end date; cut at the end of the CA", "有效期：24h、30d 或截止日期；不超过 CA 的到期时间"}
	flagAdminCert   = text{"make client-admin.crt and client-admin.key in place of a kubeconfig", "生成 client-admin.crt 与 client-admin.key，而不是 kubeconfig"}

	wordUser   = text{"user", "用户"}
	wordGroups = text{"groups", "组"}
	wordServer = text{"server", "服务器"}

	msgAdminServer    = text{"--server: %q is not the address of an API server, such as https://10.0.0.10:6443", "--server：%q 不是 API 服务器地址，例如 https://10.0.0.10:6443"}
	msgAdminUnlimited = text{"warning: %s opens everything until %s, RBAC is not asked and nobody can revoke it; --group chooses another group", "警告：%s 在 %s 之前可以操作一切，不受 RBAC 约束，也无法吊销；可用 --group 另选一个组"}
	msgAdminCut       = text{"notice: it ends with the client CA, earlier than asked for", "提示：它随客户端 CA 一同到期，早于所要求的时间"}
	msgAdminNoServer  = text{"--server has no place in a certificate; leave out --certificate", "证书中没有 --server 的位置；请去掉 --certificate"}
	msgAdminNext      = text{"next: once the server runs, kubectl --kubeconfig %s auth whoami", "下一步：服务器启动后，运行 kubectl --kubeconfig %s auth whoami"}
	msgAdminNextCert  = text{"next: once the server runs, kubectl --server %s --certificate-authority server-ca.crt --client-certificate %[2]s/client-admin.crt --client-key %[2]s/client-admin.key auth whoami", "下一步：服务器启动后，运行 kubectl --server %s --certificate-authority server-ca.crt --client-certificate %[2]s/client-admin.crt --client-key %[2]s/client-admin.key auth whoami"}
)
