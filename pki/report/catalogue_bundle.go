package report

var bundleMessages = messages{
	{"file-missing", Message{
		"Missing: {path}.",
		"At the first start k3s fills the gap without a word, outside your chain. Where a key is missing, it even overwrites the certificate.",
		"Put back what is missing, or make a complete bundle with `rootkiln bundle`.",
	}, Message{
		"缺少：{path}。",
		"首次启动时，k3s 会悄悄自行补上，脱离您的证书链；若缺的是私钥，还会覆盖对应的证书。",
		"请补回所缺文件，或用 `rootkiln bundle` 生成完整的套件。",
	}},
	{"file-extra", Message{
		"{path} is not one of the files that k3s takes from a bundle.",
		"k3s reads eleven files and makes all others itself. An extra file is mostly harmless, but it travels along.",
		"",
	}, Message{
		"{path} 不是 k3s 会从套件中读取的文件。",
		"k3s 只读取十一个文件，其余的都由它自己生成。多余的文件大多无害，但会跟着一起分发。",
		"",
	}},
	{"file-unreadable", Message{
		"{subject}: cannot be read: {detail}.",
		"What cannot be read cannot be judged: this report says nothing about it.",
		"Check path and permissions; the keys of a server are readable for root alone.",
	}, Message{
		"{subject}：无法读取：{detail}。",
		"读不到的文件无从判断，本报告不涵盖它。",
		"请检查路径和权限；服务器上的私钥只有 root 可读。",
	}},
	{"root-key-on-server", Message{
		"{subject}: the private key of {@role} must not be on a server.",
		"k3s never reads it. Whoever breaks into the server can make new CAs with it, for as long as the root lives.",
		"Move it to a safe place offline and delete it here, in backups too.",
	}, Message{
		"{subject}：{@role}的私钥不应放在服务器上。",
		"k3s 从不读取它。攻破服务器的人可以用它签发新的 CA，直到根 CA 到期。",
		"请把它移到离线的安全处，并从这里和备份中删除。",
	}},
	{"mode-wide", Message{
		"{subject}: has the mode {mode}, {want} would be right.",
		"Other users of the machine can read it, and the key of a CA opens the whole cluster.",
		"Run `chmod {want}` on it.",
	}, Message{
		"{subject}：权限为 {mode}，应为 {want}。",
		"机器上的其他用户可以读取它，而 CA 的私钥足以打开整个集群。",
		"请对它执行 `chmod {want}`。",
	}},
	{"time-in-future", Message{
		"{subject}: its modification time is in the future: {time}.",
		"k3s compares these times: after the next rotation, a server does not start if its own file is three seconds or more newer than the rotated one.",
		"Correct the clock, then run `touch` on the files or unpack them with `tar -m`.",
	}, Message{
		"{subject}：修改时间在未来：{time}。",
		"k3s 会比较修改时间：下次轮换后，若服务器自己的文件比轮换的文件新三秒或更多，它就无法启动。",
		"请校准时钟，然后对文件执行 `touch`，或用 `tar -m` 解包。",
	}},
	{"service-key-none", Message{
		"{subject}: is missing or holds no key.",
		"k3s would make one of its own: tokens of an existing cluster would all become invalid.",
		"Put back the service.key of the cluster. For a new bundle: give it with `--service-key FILE`, or leave out --service-key-keep to have one made.",
	}, Message{
		"{subject}：不存在，或其中没有密钥。",
		"k3s 会自行生成一个，已有集群的令牌将全部失效。",
		"请放回该集群的 service.key。新做套件时：用 `--service-key FILE` 提供，或去掉 --service-key-keep 以生成新密钥。",
	}},
	{"service-key-format", Message{
		"{subject}: the kube-apiserver cannot read this service account key: {format}.",
		"It reads RSA keys, and EC keys as \"EC PRIVATE KEY\" (SEC1) only; EC in PKCS#8 and Ed25519 stop the start.",
		"Rewrite an EC key with `openssl ec -in FILE -out NEW`; replace an Ed25519 key.",
	}, Message{
		"{subject}：kube-apiserver 无法读取这个服务账号密钥：{format}。",
		"它能读取 RSA 密钥，以及“EC PRIVATE KEY”（SEC1）形式的 EC 密钥；PKCS#8 形式的 EC 密钥和 Ed25519 会使启动失败。",
		"EC 密钥请用 `openssl ec -in FILE -out NEW` 转换；Ed25519 密钥请更换。",
	}},
	{"service-key-weak", Message{
		"{subject}: the service account key is too weak: {key}.",
		"Whoever breaks it can make tokens for every service account, those with cluster-admin included.",
		"Put a new key first in the file and keep the old one behind it until its tokens have ended.",
	}, Message{
		"{subject}：服务账号密钥强度不足：{key}。",
		"破解它的人可以伪造任何服务账号的令牌，包括拥有 cluster-admin 权限的。",
		"请把新密钥放在文件最前面，旧密钥留在其后，直到旧令牌全部到期。",
	}},
	{"service-key-is-ca", Message{
		"{subject}: is the same key as that of {@role}.",
		"A key that signs tokens is in use all day; when it leaks, the CA is lost with it.",
		"Use a key of its own; `rootkiln bundle` makes one.",
	}, Message{
		"{subject}：与{@role}使用了同一个密钥。",
		"签发令牌的密钥时刻都在使用，一旦泄露，CA 也随之失守。",
		"请使用单独的密钥；`rootkiln bundle` 会生成。",
	}},
	{"service-key-duplicate", Message{
		"{subject}: holds the same key twice.",
		"Harmless: the first key signs, all verify. But the file grows with each rotation.",
		"Remove the second copy.",
	}, Message{
		"{subject}：同一个密钥出现了两次。",
		"这没有害处：第一个密钥用于签名，全部密钥都用于验证；只是文件会随每次轮换变大。",
		"请删除重复的那一份。",
	}},
	{"shared-trust", Message{
		"These CAs have trust anchors in common: {@roles} ({roots}).",
		"Every CA file is also a trust file: a certificate from one of these CAs is accepted by the components of the others, up to cluster admin and all of etcd.",
		"For a new cluster use `--topology isolated`, the default: each CA trusts only what is its own.",
	}, Message{
		"以下 CA 有共同的信任锚：{@roles}（{roots}）。",
		"每个 CA 文件同时也是信任文件：其中一个 CA 签发的证书，其他 CA 所属的组件也会接受，直至集群管理员权限和整个 etcd。",
		"新集群请使用默认的 `--topology isolated`：每个 CA 只信任自己签发的证书。",
	}},
	{"token-file-hash", Message{
		"{subject}: the join token hashes the bytes of this file, not a root certificate.",
		"Any change of the file makes a new token: nodes that hold the full old one can no longer join.",
		"Use a full chain to a root; until then hand out a new token after every change (`rootkiln token PATH`).",
	}, Message{
		"{subject}：加入令牌的哈希取自该文件的字节，而不是根 CA 证书。",
		"文件稍有改动，令牌就会改变：持有完整旧令牌的节点将无法加入。",
		"请使用通向根 CA 的完整证书链；在此之前，每次改动后都须分发新令牌（`rootkiln token PATH`）。",
	}},
	{"token-fallback", Message{
		"{subject}: the chain does not verify, so the join token hashes the bytes of the file: {detail}.",
		"k3s says nothing. The token changes with the file and with time, and joins fail later for no visible reason.",
		"Correct the chain first, then compute the token again: `rootkiln token PATH`.",
	}, Message{
		"{subject}：证书链校验失败，加入令牌的哈希退回为文件字节的哈希：{detail}。",
		"k3s 不会有任何提示。令牌会随文件和时间而改变，之后节点会莫名其妙地无法加入。",
		"请先修正证书链，再重新计算令牌：`rootkiln token PATH`。",
	}},
	{"probe-go", Message{
		"{subject}: a trial certificate for {leaf} fails in Go: {detail}.",
		"This is how the components of Kubernetes verify: the cluster would not come up.",
		"See to the other findings about this CA first; they mostly name the cause.",
	}, Message{
		"{subject}：为 {leaf} 试签的证书未通过 Go 的校验：{detail}。",
		"Kubernetes 各组件正是这样校验的：集群将无法启动。",
		"请先处理与该 CA 有关的其他问题，原因多半就在其中。",
	}},
	{"probe-path", Message{
		"{subject}: a trial certificate for {leaf} does not verify up to the root: {detail}.",
		"k3s itself may run, but OpenSSL, Java and browsers, and pods that use them, refuse the cluster.",
		"See to the other findings about this chain first; they mostly name the cause.",
	}, Message{
		"{subject}：为 {leaf} 试签的证书无法一路校验到根 CA：{detail}。",
		"k3s 自身也许能运行，但 OpenSSL、Java、浏览器以及使用它们的 Pod 会拒绝该集群。",
		"请先处理与该证书链有关的其他问题，原因多半就在其中。",
	}},
	{"probe-go-domain", Message{
		"{subject}: trial certificates for every leaf under it ({leaves}) fail in Go: {detail}.",
		"This is how the components of Kubernetes verify: all that k3s signs with this CA would be refused.",
		"See to the other findings about this CA first; they mostly name the cause.",
	}, Message{
		"{subject}：用它试签的全部 {leaves} 张叶子证书都未通过 Go 的校验：{detail}。",
		"Kubernetes 各组件正是这样校验的：k3s 用该 CA 签发的一切都会被拒绝。",
		"请先处理与该 CA 有关的其他问题，原因多半就在其中。",
	}},
	{"probe-path-domain", Message{
		"{subject}: trial certificates for every leaf under it ({leaves}) do not verify up to the root: {detail}.",
		"k3s itself may run, but OpenSSL, Java and browsers, and pods that use them, refuse what this CA signs.",
		"See to the other findings about this chain first; they mostly name the cause.",
	}, Message{
		"{subject}：用它试签的全部 {leaves} 张叶子证书都无法一路校验到根 CA：{detail}。",
		"k3s 自身也许能运行，但 OpenSSL、Java、浏览器以及使用它们的 Pod 会拒绝该 CA 签发的证书。",
		"请先处理与该证书链有关的其他问题，原因多半就在其中。",
	}},
	{"leaf-stale", Message{
		"{subject}: was not made by the CA that now stands in {ca}.",
		"Clients that know the new CA alone refuse it. k3s renews its leaf certificates at the next start, dynamic-cert.json not always.",
		"Restart the server or agent. For dynamic-cert.json: delete the Secret kube-system/k3s-serving, stop the server, delete the file, start it.",
	}, Message{
		"{subject}：不是由 {ca} 中现在的 CA 签发的。",
		"只信任新 CA 的客户端会拒绝它。k3s 下次启动时会重新签发叶子证书，但 dynamic-cert.json 未必更新。",
		"请重启该服务器或 agent。若是 dynamic-cert.json：先删除 Secret kube-system/k3s-serving，停止服务器，删除该文件，再启动。",
	}},
	{"nochain-stale", Message{
		"{subject}: is not the first certificate of {ca}.",
		"The controller-manager signs requests with it. k3s writes it anew at every start, so this server has not been restarted since the CA changed.",
		"Restart k3s on this node.",
	}, Message{
		"{subject}：与 {ca} 中的第一张证书不一致。",
		"controller-manager 用它签发证书请求。k3s 每次启动都会重写它，可见更换 CA 之后，这台服务器还没有重启过。",
		"请重启该节点上的 k3s。",
	}},
	{"service-current-stale", Message{
		"{subject}: is not the first key of service.key.",
		"New service account tokens are signed with it. k3s writes it anew at every start, so this server has not been restarted since the key changed.",
		"Restart k3s on this node.",
	}, Message{
		"{subject}：与 service.key 中的第一个密钥不一致。",
		"新的服务账号令牌用它签名。k3s 每次启动都会重写它，可见更换密钥之后，这台服务器还没有重启过。",
		"请重启该节点上的 k3s。",
	}},
	{"bundle-too-large", Message{
		"{subject}: is over the limit of {limit}.",
		"No bundle of a cluster is that large: this is something else, or was made to fill memory.",
		"Check the path, or give only the directory that holds server-ca.crt.",
	}, Message{
		"{subject}：超出了 {limit} 的限制。",
		"集群的套件不会这么大：这可能是别的东西，或者意在耗尽内存。",
		"请检查路径，或只指定包含 server-ca.crt 的目录。",
	}},
	{"bundle-none", Message{
		"No bundle was found: none of the CA files of a cluster is here.",
		"k3s would start with CAs of its own making.",
		"Give the directory that holds server-ca.crt, the one above it, or the archive.",
	}, Message{
		"没有找到套件：这里没有任何集群 CA 文件。",
		"k3s 会以自行生成的 CA 启动。",
		"请指定包含 server-ca.crt 的目录、它的上级目录，或归档文件。",
	}},
	{"archive-unsafe", Message{
		"The archive holds an entry that is not taken: \"{entry}\" ({kind}).",
		"A bundle has plain files and directories only. On unpacking, others can write outside the target directory.",
		"Do not unpack it as root; get it again from its maker.",
	}, Message{
		"归档中有不能接受的条目：“{entry}”（{kind}）。",
		"套件只含普通文件和目录；其他条目在解包时可能写到目标目录之外。",
		"请不要以 root 身份解包；请向制作者重新获取。",
	}},
	{"archive-too-large", Message{
		"{subject}: is over the limit of {limit}.",
		"A bundle has some kilobytes; this may be something else, or be meant to fill memory.",
		"Check the path, or give only the directory that holds server-ca.crt.",
	}, Message{
		"{subject}：超出了 {limit} 的限制。",
		"套件只有几千字节；这可能是别的东西，或者意在耗尽内存。",
		"请检查路径，或只指定包含 server-ca.crt 的目录。",
	}},
	{"archive-unreadable", Message{
		"{subject}: the archive cannot be read: {detail}.",
		"From half an archive k3s would get half a bundle and make the rest itself.",
		"Copy it again and compare its SHA-256; tar and tar.gz are read.",
	}, Message{
		"{subject}：无法读取归档：{detail}。",
		"归档不完整，k3s 得到的套件也不完整，缺少的部分会由它自行生成。",
		"请重新复制并比对 SHA-256；支持 tar 和 tar.gz。",
	}},
	{"archive-duplicate", Message{
		"The archive holds \"{entry}\" twice.",
		"Which of the two reaches the server depends on the program that unpacks it.",
		"Make the archive again; `rootkiln bundle` writes every file once.",
	}, Message{
		"归档中“{entry}”出现了两次。",
		"最终哪一份会落到服务器上，取决于解包所用的程序。",
		"请重新制作归档；`rootkiln bundle` 对每个文件只写一次。",
	}},
	{"upstream-profile", Message{
		"The profile upstream is in use: certificates as the example script of k3s makes them.",
		"These CAs have no path length limit, a keyEncipherment that linters object to, and RSA 4096 keys that take long to make.",
		"",
	}, Message{
		"正在使用 upstream 配置：生成与 k3s 示例脚本相同形式的证书。",
		"这些 CA 没有路径长度限制，带有检查工具不认可的 keyEncipherment，RSA 4096 密钥的生成也较慢。",
		"",
	}},
	{"upstream-names", Message{
		"{file} has a file name of the k3s example script; k3s itself never reads it.",
		"Only the script looks at it, when it is run again; the cluster does not need it.",
		"",
	}, Message{
		"{file} 是 k3s 示例脚本使用的文件名；k3s 自身从不读取它。",
		"只有再次运行该脚本时才会用到它；集群不需要它。",
		"",
	}},
}
