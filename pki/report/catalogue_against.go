package report

var againstMessages = messages{
	{"old-none", Message{
		"What runs today was not found: none of the CA files of a cluster is there.",
		"`rotate-ca` judges an offer by the files of the server that it is given to.",
		"Give the tls directory of a server, the directory above it, or an archive of them.",
	}, Message{
		"没有找到目前运行的文件：那里没有任何集群 CA 文件。",
		"`rotate-ca` 依据所请求的服务器上的文件来判断。",
		"请给出某台服务器的 tls 目录、它的上级目录，或其归档。",
	}},
	{"rotate-unjudged", Message{
		"What `rotate-ca` would answer was not computed: there are keys too large for that, or too many certificates.",
		"No cluster needs such; a server would be busy with them for minutes.",
		"See to the other findings first, then verify again.",
	}, Message{
		"没有计算 `rotate-ca` 的答复：其中的密钥过大，或证书过多。",
		"没有集群需要这样的文件；服务器会为此忙上好几分钟。",
		"请先处理其他问题，再重新判断。",
	}},
	{"rotate-current", Message{
		"{subject}: there is nothing to judge it by: {detail}.",
		"Every running server has this file. The one that was given is not there or not readable, so this verdict is not that of your server.",
		"Give a complete copy of the server's tls directory.",
	}, Message{
		"{subject}：没有可供比照的文件：{detail}。",
		"运行中的服务器都有这个文件。所给的文件不存在或无法读取，因此这个结论并不代表您的服务器。",
		"请给出服务器 tls 目录的完整副本。",
	}},
	{"rotate-unreadable", Message{
		"{subject}: `rotate-ca` refuses it, since it finds nothing in it: {detail}.",
		"With --force it would be stored unread, and no server would start with it.",
		"See to the findings about this file; the PEM in it is damaged or of another kind.",
	}, Message{
		"{subject}：`rotate-ca` 会拒绝它，因为从中读不出任何内容：{detail}。",
		"若加 --force，它会原样存入，之后没有服务器能凭它启动。",
		"请处理与该文件有关的问题：其中的 PEM 已损坏，或不是所需的类型。",
	}},
	{"rotate-single", Message{
		"{subject}: `rotate-ca` refuses it, since it holds one certificate alone.",
		"It wants what stands above the CA in the same file. The self-signed CAs that k3s makes itself are refused too when they are offered again.",
		"Leave out what shall stay as it is; for a new CA append its issuers up to the root.",
	}, Message{
		"{subject}：`rotate-ca` 会拒绝它，因为其中只有一张证书。",
		"它要求同一个文件中还有该 CA 的上级证书。k3s 自行生成的自签名 CA 若原样再次提交，也会被拒绝。",
		"不需要更换的请不要提交；新的 CA 请把各级签发者直到根 CA 一并追加到文件中。",
	}},
	{"rotate-chain", Message{
		"{subject}: `rotate-ca` refuses it: {detail}.",
		"The new CA must lead to a root in the server's file of today. With --force nodes and clients would lose one another at once.",
		"Sign the new CA below the old root, or have the old root sign the new one and put that cross certificate (with AKI) in the file.",
	}, Message{
		"{subject}：`rotate-ca` 会拒绝它：{detail}。",
		"新的 CA 必须能追溯到服务器现有文件中的根 CA。若加 --force，节点和客户端会立刻互不信任。",
		"请在旧根之下签发新的 CA，或由旧根为新根签发交叉证书（须带 AKI），并放入该文件。",
	}},
	{"rotate-pair", Message{
		"{subject}: `rotate-ca` refuses it: {detail}.",
		"A file that is not offered, or is empty, is taken from the server's disk: half a pair meets the other half of yesterday. With --force no server would start.",
		"Offer certificate and key of a CA together.",
	}, Message{
		"{subject}：`rotate-ca` 会拒绝它：{detail}。",
		"没有提交或为空的文件会取自服务器磁盘：只给一半，就会与旧的另一半配对。若加 --force，没有服务器能启动。",
		"请把同一个 CA 的证书和私钥一起提交。",
	}},
	{"rotate-service-key", Message{
		"{subject}: `rotate-ca` refuses it, since the key that signs today is not in it.",
		"With --force every ServiceAccount token would be refused at once, and with them most pods that talk to the API.",
		"Append the service.key of today behind the new key.",
	}, Message{
		"{subject}：`rotate-ca` 会拒绝它，因为其中没有目前用于签名的密钥。",
		"若加 --force，所有 ServiceAccount 令牌会立刻失效，大多数访问 API 的 Pod 也随之中断。",
		"请把目前的 service.key 追加在新密钥之后。",
	}},
	{"rotate-older", Message{
		"{subject}: dates from {is}, and the server's own file from {was}.",
		"`rotate-ca` keeps these times. At the next start a server whose own file differs and is three seconds newer ends with \"newer than datastore and could cause a cluster outage\".",
		"Run `touch` on the files right before `rotate-ca`. If what you gave is a copy, compare with the times on the servers.",
	}, Message{
		"{subject}：时间为 {is}，而服务器自己的文件为 {was}。",
		"`rotate-ca` 会保留这些时间。下次启动时，若服务器自己的文件内容不同且新三秒或更多，它就会以“newer than datastore and could cause a cluster outage”退出。",
		"请在 `rotate-ca` 之前对这些文件执行 `touch`。若给出的只是副本，请以各服务器上的时间为准。",
	}},
	{"leaves-not-renewed", Message{
		"{subject}: \"{is}\" takes the place of \"{was}\" with the same key identifier.",
		"k3s knows a new CA by that alone: its leaf certificates stay as they are, and under the new name or key none of them verifies.",
		"Keep the subject when the key stays, take a new key when the subject changes, or leave the old CA at the end of the file.",
	}, Message{
		"{subject}：“{is}”取代了“{was}”，而密钥标识符相同。",
		"k3s 只凭它识别新的 CA：叶子证书会原样留用，而在新的名称或密钥之下，它们全都无法通过校验。",
		"保留密钥时请保持主体不变，更改主体时请换用新密钥，或把旧 CA 留在文件末尾。",
	}},
	{"old-leaves-refused", Message{
		"{subject}: refuses everything that \"{ca}\" has signed.",
		"Until the last node has restarted, those that have refuse those that have not; kubeconfigs and client certificates of today get 401 at once.",
		"Keep the old CA or its root in this file for one rotation, unless shutting it out is what you want.",
	}, Message{
		"{subject}：不再接受“{ca}”签发的一切。",
		"在最后一个节点重启之前，已重启的节点会拒绝未重启的；现有的 kubeconfig 和客户端证书会立刻得到 401。",
		"请让旧 CA 或它的根在该文件中再保留一次轮换，除非正是要把它排除在外。",
	}},
	{"new-leaves-refused", Message{
		"{subject}: what \"{ca}\" signs is refused by nodes that have the file of today.",
		"Servers and agents that have not restarted yet refuse those that have: the cluster falls apart while it is being restarted.",
		"Put the cross certificate by the old root into the file; its order is CA, cross certificate, new root, old root.",
	}, Message{
		"{subject}：仍持有现有文件的节点会拒绝“{ca}”签发的证书。",
		"尚未重启的服务器和 agent 会拒绝已重启的：集群在重启过程中就会四分五裂。",
		"请把旧根签发的交叉证书放入该文件；顺序为 CA、交叉证书、新根、旧根。",
	}},
	{"client-ca-dropped", Message{
		"{subject}: the CA of today, \"{ca}\", is no longer in it.",
		"Client certificates that are sent without a chain get 401: all that were issued by CSR, those of users among them. k3s's own carry their chain.",
		"Append the CA of today to the file and drop it at the rotation after this one.",
	}, Message{
		"{subject}：其中不再有目前的 CA“{ca}”。",
		"不带证书链的客户端证书会得到 401：凡是通过 CSR 签发的都是如此，包括用户的证书。k3s 自己的证书带有证书链。",
		"请把目前的 CA 追加到文件末尾，到下一次轮换再去掉。",
	}},
	{"server-ca-dropped", Message{
		"{subject}: the CA of today, \"{ca}\", is no longer in it.",
		"That matters only where kubelets serve with certificates issued by CSR, which come without a chain: logs, exec and metrics of such nodes fail until they have new ones.",
		"Append the CA of today to the file and drop it at the rotation after this one.",
	}, Message{
		"{subject}：其中不再有目前的 CA“{ca}”。",
		"只有当 kubelet 使用通过 CSR 签发、不带证书链的服务端证书时才有影响：在换发之前，这些节点的日志、exec 和指标会失败。",
		"请把目前的 CA 追加到文件末尾，到下一次轮换再去掉。",
	}},
	{"previous-ca-dropped", Message{
		"{subject}: no longer holds {ca}, which stayed at the rotation before.",
		"Refused from the restart on: certificates that it signed and that are held without a chain, all that came by a CSR; of a root that goes, everything below it, old kubeconfigs too.",
		"See that every node has restarted since that rotation, and hand out kubeconfigs anew before this one.",
	}, Message{
		"{subject}：不再包含上一次轮换时保留的 {ca}。",
		"重启之后会被拒绝的有：由它签发且不带证书链的证书，即所有经 CSR 签发的证书；若去掉的是根，则其下的一切，包括旧的 kubeconfig。",
		"请确认每个节点自那次轮换以来都已重启，并在此次之前重新分发 kubeconfig。",
	}},
	{"old-root-refuses", Message{
		"{subject}: clients that trust the old root alone ({root}) refuse the cluster.",
		"Those are kubeconfigs, trust stores and programs outside the cluster; they were given the root once and do not see this file.",
		"Hand out the new root first, or put a cross certificate by the old root right behind the CA.",
	}, Message{
		"{subject}：只信任旧根（{root}）的客户端会拒绝该集群。",
		"例如 kubeconfig、信任库和集群外的程序：它们当初只拿到了根证书，看不到这个文件。",
		"请先分发新的根证书，或把旧根签发的交叉证书紧跟在 CA 之后。",
	}},
	{"cross-order", Message{
		"{subject}: the new root stands before its cross certificate, so OpenSSL clients with the old root alone ({root}) refuse the cluster.",
		"OpenSSL, curl and Python take the first issuer in the file that fits: a self-signed root that they do not know. Go programs try all.",
		"Order the file: CA, cross certificate, new root, old root.",
	}, Message{
		"{subject}：新根排在它的交叉证书之前，只持有旧根（{root}）的 OpenSSL 客户端会拒绝该集群。",
		"OpenSSL、curl 和 Python 采用文件中第一个匹配的签发者，也就是它们不认识的自签名根；Go 程序会逐一尝试。",
		"请按此顺序排列：CA、交叉证书、新根、旧根。",
	}},
	{"supervisor-keeps-old", Message{
		"{subject}: the roots change, and the supervisor may go on serving its certificate of before.",
		"Before November 2025 (v1.32.10) `rotate-ca` does not renew dynamic-cert.json. Harmless while the old root is trusted; once it is dropped, joins fail with \"CA cert validation failed\".",
		"After `rotate-ca`: delete the Secret kube-system/k3s-serving, stop k3s, run `k3s certificate rotate --service k3s-server`, start it. Look at the issuer on the supervisor's port before the old root goes.",
	}, Message{
		"{subject}：根 CA 有变动，而 supervisor 可能继续使用原来的服务端证书。",
		"2025 年 11 月（v1.32.10）之前，`rotate-ca` 不会更新 dynamic-cert.json。只要旧根仍受信任就无害；一旦去掉旧根，新节点加入时会报“CA cert validation failed”。",
		"请在 `rotate-ca` 之后：删除 Secret kube-system/k3s-serving，停止 k3s，执行 `k3s certificate rotate --service k3s-server`，再启动；并在去掉旧根之前查看 supervisor 端口上证书的签发者。",
	}},
	{"old-trust-open", Message{
		"{subject}: these CAs get roots of their own and still let in what others have signed: {@roles}.",
		"The roots that they had in common are still in their files ({roots}): an old certificate of any node opens etcd and the API as before.",
		"Take this as a step on the way. Drop the old roots at the next rotation: CA, cross certificate, new root, without the old root.",
	}, Message{
		"{subject}：以下 CA 有了自己的根，却仍接受其他 CA 签发的证书：{@roles}。",
		"它们原来共有的根仍在文件中（{roots}）：任一节点的旧证书照样能打开 etcd 和 API。",
		"这只能算中间一步。请在下一次轮换时去掉旧根：CA、交叉证书、新根，不含旧根。",
	}},
	{"authentication-keeps-old", Message{
		"The ConfigMap kube-system/extension-apiserver-authentication goes on trusting what these files drop: {@roles}.",
		"Kubernetes only ever adds to it, and aggregated API servers (metrics-server) read their trust from there.",
		"After the last restart, delete the old certificates from that ConfigMap.",
	}, Message{
		"ConfigMap kube-system/extension-apiserver-authentication 仍会信任这些文件中去掉的证书：{@roles}。",
		"Kubernetes 只会往里添加，而聚合 API 服务器（metrics-server）从那里读取信任。",
		"全部重启之后，请从该 ConfigMap 中删除旧证书。",
	}},
	{"token-changes", Message{
		"{subject}: the join token changes: {was} becomes {is}.",
		"Nodes that start with the full old token are refused: \"token CA hash does not match\". The password stays; short tokens hold.",
		"Hand out the new token with the restart. If it must stay: the old root at the end of the file, and no new root in it.",
	}, Message{
		"{subject}：加入令牌将会改变：{was} 变为 {is}。",
		"使用完整旧令牌启动的节点会被拒绝，报“token CA hash does not match”。密码不变；短格式的令牌仍然有效。",
		"请在重启时分发新令牌。若必须保持不变：文件以旧根结尾，其中不放新根。",
	}},
	{"service-key-dropped", Message{
		"{subject}: lacks keys that verify ServiceAccount tokens today: {count}.",
		"`rotate-ca` asks for the key that signs today and for no other. Tokens made with the others are refused from the restart on.",
		"Right if those tokens have ended; those in Secrets never end. Otherwise keep the keys at the end of the file.",
	}, Message{
		"{subject}：缺少目前用于验证 ServiceAccount 令牌的密钥：{count} 把。",
		"`rotate-ca` 只要求保留目前用于签名的那一把。用其他密钥签发的令牌，重启之后会被拒绝。",
		"如果那些令牌都已到期，这样没有问题；Secret 中的令牌永不过期。否则请把这些密钥留在文件末尾。",
	}},
	{"service-key-signs", Message{
		"{subject}: another key signs ServiceAccount tokens from the restart on.",
		"The one of today stays and verifies the tokens that there are. Until the last server has restarted, some servers refuse the new tokens.",
		"",
	}, Message{
		"{subject}：重启之后将由另一把密钥签发 ServiceAccount 令牌。",
		"目前的密钥仍在，已有的令牌照样能通过验证。在最后一台服务器重启之前，部分服务器会拒绝新令牌。",
		"",
	}},
	{"rotation-partial", Message{
		"Not offered, and so taken from the server that is asked: {files}.",
		"It takes them from its disk. After a rotation without a restart the disk is that of before, and this one would undo the other.",
		"Restart every server between two rotations.",
	}, Message{
		"没有提交、因而取自所请求的服务器的文件：{files}。",
		"它从磁盘读取。若上一次轮换之后还没有重启，磁盘上仍是之前的内容，这一次就会把上一次撤销。",
		"两次轮换之间请重启每一台服务器。",
	}},
	{"rotation-nothing", Message{
		"Every file that is offered is what the server has already.",
		"`rotate-ca` would store them once more, and no server would change anything.",
		"",
	}, Message{
		"提交的每个文件都与服务器现有的相同。",
		"`rotate-ca` 会把它们再存一遍，任何服务器都不会有变化。",
		"",
	}},
	{"rotation-releases", Message{
		"Not every release of k3s takes a rotation as it should.",
		"Those of September 2024 (such as v1.31.1) lose their password file and do not start again. Before March 2025 (v1.32.3), where every server has `server:`, each takes back the old files from another.",
		"On the first, update before you rotate. On the second, take `server:` out on one server for its restart.",
	}, Message{
		"并非每个 k3s 版本都能正常轮换。",
		"2024 年 9 月的版本（如 v1.31.1）会丢失密码文件，之后无法启动。2025 年 3 月（v1.32.3）之前，若每台服务器都设置了 `server:`，它们会互相取回旧文件。",
		"前者请先升级再轮换；后者请在其中一台服务器重启时去掉它的 `server:`。",
	}},
}
