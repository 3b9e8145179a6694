package report

var bundleMessages = messages{
	"file-missing": {{
		"{path} is missing.",
		"Before the first start, k3s fills the gap without a word: it makes a CA or key of its own, which overwrites its other half.",
		"Put the file back, or make a complete bundle with `rootkiln bundle`.",
	}, {
		"缺少 {path}。",
		"首次启动时，k3s 会悄悄补上缺口：自行生成 CA 或密钥，并覆盖与之成对的另一个文件。",
		"请补回该文件，或用 `rootkiln bundle` 生成完整的证书包。",
	}},
	"file-extra": {{
		"{path} is not one of the files that k3s takes from a bundle.",
		"k3s reads eleven files and makes all others itself. An extra file is mostly harmless, but it travels along.",
		"",
	}, {
		"{path} 不是 k3s 会从证书包中读取的文件。",
		"k3s 只读取十一个文件，其余的都由它自己生成。多余的文件大多无害，但会跟着一起分发。",
		"",
	}},
	"file-unreadable": {{
		"{subject}: cannot be read: {detail}.",
		"What cannot be read cannot be judged: this report says nothing about it.",
		"Check path and permissions; the keys of a server are readable for root alone.",
	}, {
		"{subject}：无法读取：{detail}。",
		"读不到的文件无从判断，本报告不涵盖它。",
		"请检查路径和权限；服务器上的私钥只有 root 可读。",
	}},
	"root-key-on-server": {{
		"{subject}: the private key of {@role} is in what goes to a server.",
		"k3s never reads it. Whoever breaks into the server can make new CAs with it, for as long as the root lives.",
		"Move it to a safe place offline and delete it here, in backups too.",
	}, {
		"{subject}：{@role}的私钥出现在要交给服务器的内容中。",
		"k3s 从不读取它。攻破服务器的人可以用它签发新的 CA，直到根 CA 到期。",
		"请把它移到离线的安全处，并从这里和备份中删除。",
	}},
	"mode-wide": {{
		"{subject}: has the mode {mode}, {want} would be right.",
		"Other users of the machine can read it, and the key of a CA opens the whole cluster.",
		"Run `chmod {want}` on it.",
	}, {
		"{subject}：权限为 {mode}，应为 {want}。",
		"机器上的其他用户可以读取它，而 CA 的私钥足以打开整个集群。",
		"请对它执行 `chmod {want}`。",
	}},
	"time-in-future": {{
		"{subject}: its modification time is in the future: {time}.",
		"k3s stores this time. With the next rotation, a server whose file is three seconds newer than the stored one does not start.",
		"Correct the clock, then run `touch` on the files or unpack them with `tar -m`.",
	}, {
		"{subject}：修改时间在未来：{time}。",
		"k3s 会保存这个时间。下次轮换时，只要服务器上的文件比所存时间新三秒，该服务器就无法启动。",
		"请校准时钟，然后对文件执行 `touch`，或用 `tar -m` 解包。",
	}},
	"service-key-none": {{
		"There is no service account key.",
		"k3s would make one of its own: tokens of an existing cluster would all become invalid.",
		"Give the existing key with `--service-key FILE`, or leave out --service-key-keep to have a new one made.",
	}, {
		"没有服务账号密钥。",
		"k3s 会自行生成一个，已有集群的令牌将全部失效。",
		"请用 `--service-key FILE` 提供现有密钥，或去掉 --service-key-keep 以生成新密钥。",
	}},
	"service-key-format": {{
		"{subject}: the service account key is stored as {format}, which the kube-apiserver cannot read.",
		"It reads RSA keys, and EC keys as \"EC PRIVATE KEY\" (SEC1) only; EC in PKCS#8 and Ed25519 stop the start.",
		"Rewrite an EC key with `openssl ec -in FILE -out NEW`; replace an Ed25519 key.",
	}, {
		"{subject}：服务账号密钥的格式为 {format}，kube-apiserver 无法读取。",
		"它能读取 RSA 密钥，以及“EC PRIVATE KEY”(SEC1) 形式的 EC 密钥；PKCS#8 形式的 EC 密钥和 Ed25519 会使启动失败。",
		"EC 密钥请用 `openssl ec -in FILE -out NEW` 转换；Ed25519 密钥请更换。",
	}},
	"service-key-weak": {{
		"{subject}: the service account key is too weak: {key}.",
		"Whoever breaks it can make tokens for every service account, those with cluster-admin included.",
		"Put a new key first in the file and keep the old one behind it until its tokens have ended.",
	}, {
		"{subject}：服务账号密钥强度不足：{key}。",
		"破解它的人可以伪造任何服务账号的令牌，包括拥有 cluster-admin 权限的。",
		"请把新密钥放在文件最前面，旧密钥留在其后，直到旧令牌全部到期。",
	}},
	"service-key-is-ca": {{
		"{subject}: is the same key as that of {@role}.",
		"A key that signs tokens is in use all day; when it leaks, the CA is lost with it.",
		"Use a key of its own; `rootkiln bundle` makes one.",
	}, {
		"{subject}：与{@role}使用了同一个密钥。",
		"签发令牌的密钥时刻都在使用，一旦泄露，CA 也随之失守。",
		"请使用单独的密钥；`rootkiln bundle` 会生成。",
	}},
	"service-key-duplicate": {{
		"{subject}: holds the same key twice.",
		"Harmless: the first key signs, all verify. But the file grows with each rotation.",
		"Remove the second copy.",
	}, {
		"{subject}：同一个密钥出现了两次。",
		"这没有害处：第一个密钥用于签名，全部密钥都用于验证；只是文件会随每次轮换变大。",
		"请删除重复的那一份。",
	}},
	"shared-trust": {{
		"One root stands over several CAs: {@roles} ({roots}).",
		"Every CA file is also a trust file: a certificate from any of these CAs logs in as cluster admin, and reads etcd.",
		"For a new cluster use `--topology isolated`, the default: each CA trusts only what is its own.",
	}, {
		"多个 CA 共用一个根 CA：{@roles}（{roots}）。",
		"每个 CA 文件同时也是信任文件：其中任何一个 CA 签发的证书，都能以集群管理员身份登录，并读取 etcd。",
		"新集群请使用默认的 `--topology isolated`：每个 CA 只信任自己签发的证书。",
	}},
	"token-file-hash": {{
		"{subject}: the join token hashes the bytes of this file, not a root certificate.",
		"Any change of the file makes a new token: nodes that hold the full old one can no longer join.",
		"Use a full chain to a root; until then hand out a new token after every change (`rootkiln token PATH`).",
	}, {
		"{subject}：加入令牌的哈希取自该文件的字节，而不是根 CA 证书。",
		"文件稍有改动，令牌就会改变：持有完整旧令牌的节点将无法加入。",
		"请使用通向根 CA 的完整证书链；在此之前，每次改动后都须分发新令牌（`rootkiln token PATH`）。",
	}},
	"token-fallback": {{
		"{subject}: the chain does not verify, so the join token hashes the bytes of the file: {detail}.",
		"k3s says nothing. The token changes with the file and with time, and joins fail later for no visible reason.",
		"Correct the chain first, then compute the token again: `rootkiln token PATH`.",
	}, {
		"{subject}：证书链校验失败，加入令牌的哈希退回为文件字节的哈希：{detail}。",
		"k3s 不会有任何提示。令牌会随文件和时间而改变，之后节点会莫名其妙地无法加入。",
		"请先修正证书链，再重新计算令牌：`rootkiln token PATH`。",
	}},
	"probe-go": {{
		"{subject}: a trial certificate for {leaf} fails in Go: {detail}.",
		"This is how the components of Kubernetes verify: the cluster would not come up.",
		"See to the other findings about this CA first; they mostly name the cause.",
	}, {
		"{subject}：为 {leaf} 试签的证书未通过 Go 的校验：{detail}。",
		"Kubernetes 各组件正是这样校验的：集群将无法启动。",
		"请先处理与该 CA 有关的其他问题，原因多半就在其中。",
	}},
	"probe-path": {{
		"{subject}: a trial certificate for {leaf} does not verify up to the root: {detail}.",
		"k3s itself may run, but OpenSSL, Java and browsers, and pods that use them, refuse the cluster.",
		"See to the other findings about this chain first; they mostly name the cause.",
	}, {
		"{subject}：为 {leaf} 试签的证书无法一路校验到根 CA：{detail}。",
		"k3s 自身也许能运行，但 OpenSSL、Java、浏览器以及使用它们的 Pod 会拒绝该集群。",
		"请先处理与该证书链有关的其他问题，原因多半就在其中。",
	}},
	"probe-go-domain": {{
		"{subject}: trial certificates for all {leaves} leaves under it fail in Go: {detail}.",
		"This is how the components of Kubernetes verify: all that k3s signs with this CA would be refused.",
		"See to the other findings about this CA first; they mostly name the cause.",
	}, {
		"{subject}：用它试签的全部 {leaves} 张叶证书都未通过 Go 的校验：{detail}。",
		"Kubernetes 各组件正是这样校验的：k3s 用该 CA 签发的一切都会被拒绝。",
		"请先处理与该 CA 有关的其他问题，原因多半就在其中。",
	}},
	"probe-path-domain": {{
		"{subject}: trial certificates for all {leaves} leaves under it do not verify up to the root: {detail}.",
		"k3s itself may run, but OpenSSL, Java and browsers, and pods that use them, refuse what this CA signs.",
		"See to the other findings about this chain first; they mostly name the cause.",
	}, {
		"{subject}：用它试签的全部 {leaves} 张叶证书都无法一路校验到根 CA：{detail}。",
		"k3s 自身也许能运行，但 OpenSSL、Java、浏览器以及使用它们的 Pod 会拒绝该 CA 签发的证书。",
		"请先处理与该证书链有关的其他问题，原因多半就在其中。",
	}},
	"leaf-stale": {{
		"{subject}: was made under an earlier key of {@ca}.",
		"k3s renews such a leaf certificate at its next start; so this server has not been restarted since the CA changed.",
		"Restart k3s on this node; if it stays, run `k3s certificate rotate` and restart again.",
	}, {
		"{subject}：由{@ca}先前的密钥签发。",
		"k3s 下次启动时会重新签发这样的叶证书；可见更换 CA 之后，这台服务器还没有重启过。",
		"请重启该节点上的 k3s；若仍未更新，请执行 `k3s certificate rotate` 后再次重启。",
	}},
	"nochain-stale": {{
		"{subject}: is not the first certificate of {@ca}.",
		"The controller-manager signs requests with it. k3s writes it anew at every start, so this server has not been restarted since the CA changed.",
		"Restart k3s on this node.",
	}, {
		"{subject}：与{@ca}文件中的第一张证书不一致。",
		"controller-manager 用它签发证书请求。k3s 每次启动都会重写它，可见更换 CA 之后，这台服务器还没有重启过。",
		"请重启该节点上的 k3s。",
	}},
	"service-current-stale": {{
		"{subject}: is not the first key of service.key.",
		"New service account tokens are signed with it. k3s writes it anew at every start, so this server has not been restarted since the key changed.",
		"Restart k3s on this node.",
	}, {
		"{subject}：与 service.key 中的第一个密钥不一致。",
		"新的服务账号令牌用它签名。k3s 每次启动都会重写它，可见更换密钥之后，这台服务器还没有重启过。",
		"请重启该节点上的 k3s。",
	}},
	"bundle-too-large": {{
		"{subject}: is over the limit of {limit}.",
		"A tls directory has some hundred kilobytes; this is another directory, or was made to fill memory.",
		"Give only the directory that holds server-ca.crt.",
	}, {
		"{subject}：超出了 {limit} 的限制。",
		"tls 目录只有几百千字节；这可能是别的目录，或者意在耗尽内存。",
		"请只指定包含 server-ca.crt 的目录。",
	}},
	"bundle-none": {{
		"{subject}: holds no bundle: none of the CA files of a cluster was found.",
		"k3s would start with CAs of its own making.",
		"Give the directory that holds server-ca.crt, the one above it, or the archive.",
	}, {
		"{subject}：不是证书包：没有找到任何集群 CA 文件。",
		"k3s 会以自行生成的 CA 启动。",
		"请指定包含 server-ca.crt 的目录、它的上级目录，或归档文件。",
	}},
	"archive-unsafe": {{
		"The archive holds an entry that is not taken: \"{entry}\" ({kind}).",
		"A bundle has plain files and directories only. On unpacking, others can write outside the target directory.",
		"Do not unpack it as root; get it again from its maker.",
	}, {
		"归档中有不能接受的条目：“{entry}”（{kind}）。",
		"证书包只含普通文件和目录；其他条目在解包时可能写到目标目录之外。",
		"请不要以 root 身份解包；请向制作者重新获取。",
	}},
	"archive-too-large": {{
		"{subject}: is over the limit of {limit}.",
		"A bundle has some kilobytes; this may be something else, or be meant to fill memory.",
		"Check the path, or give only the directory that holds server-ca.crt.",
	}, {
		"{subject}：超出了 {limit} 的限制。",
		"证书包只有几千字节；这可能是别的东西，或者意在耗尽内存。",
		"请检查路径，或只指定包含 server-ca.crt 的目录。",
	}},
	"archive-unreadable": {{
		"{subject}: the archive cannot be read: {detail}.",
		"From half an archive k3s would get half a bundle and make the rest itself.",
		"Copy it again and compare its SHA-256; tar and tar.gz are read.",
	}, {
		"{subject}：无法读取归档：{detail}。",
		"归档不完整，k3s 得到的证书包也不完整，缺少的部分会由它自行生成。",
		"请重新复制并比对 SHA-256；支持 tar 和 tar.gz。",
	}},
	"archive-duplicate": {{
		"The archive holds \"{entry}\" twice.",
		"Which of the two reaches the server depends on the program that unpacks it.",
		"Make the archive again; `rootkiln bundle` writes every file once.",
	}, {
		"归档中“{entry}”出现了两次。",
		"最终哪一份会落到服务器上，取决于解包所用的程序。",
		"请重新制作归档；`rootkiln bundle` 对每个文件只写一次。",
	}},
	"upstream-profile": {{
		"The profile upstream is in use: certificates as the example script of k3s makes them.",
		"Their CAs have no path length limit, a keyEncipherment that linters object to, and RSA 4096 keys that take long to make.",
		"",
	}, {
		"正在使用 upstream 配置：生成与 k3s 示例脚本相同形式的证书。",
		"这些 CA 没有路径长度限制，带有检查工具不认可的 keyEncipherment，RSA 4096 密钥的生成也较慢。",
		"",
	}},
	"upstream-names": {{
		"{file}: has a file name of the k3s example script; k3s itself never reads it.",
		"The script leaves such files, private keys among them, on the server.",
		"",
	}, {
		"{file}：这是 k3s 示例脚本使用的文件名；k3s 自身从不读取它。",
		"该脚本会把这类文件（包括私钥）留在服务器上。",
		"",
	}},
}
