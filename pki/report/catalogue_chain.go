package report

var chainMessages = messages{
	{"path-length", Message{
		"{subject}: its path length limit is {has}, but the CAs below it need {need}.",
		"k3s itself does not notice, since Go trusts every CA in the file; OpenSSL, GnuTLS and NSS refuse the chain.",
		"Have it issued with a pathLen of {need} or more, or without a limit.",
	}, Message{
		"{subject}：路径长度限制为 {has}，但其下的 CA 需要 {need}。",
		"Go 信任文件中的每个 CA，所以 k3s 自身察觉不到；OpenSSL、GnuTLS 和 NSS 会拒绝该证书链。",
		"请以不小于 {need} 的 pathLen 重新签发，或不设限制。",
	}},
	{"signature-invalid", Message{
		"{subject}: its signature does not verify with the key of \"{issuer}\".",
		"The names fit, the keys do not: `rotate-ca` and clients that check the whole chain refuse it.",
		"Find the issuer's certificate with the right key; an older one of the same name is the usual mix-up.",
	}, Message{
		"{subject}：用“{issuer}”的公钥无法验证其签名。",
		"名称相符而密钥不符：`rotate-ca` 和校验完整证书链的客户端都会拒绝它。",
		"请找出密钥正确的签发者证书；常见原因是误用了同名的旧证书。",
	}},
	{"chain-order", Message{
		"{subject}: the file begins with \"{issuer}\", which is the issuer of another certificate in it.",
		"k3s takes the first certificate for the CA that signs. The key does not fit it, and k3s does not start.",
		"Put the certificate of the CA itself first, then its issuers up to the root.",
	}, Message{
		"{subject}：文件以“{issuer}”开头，而它是文件中另一张证书的签发者。",
		"k3s 把第一张证书当作签发用的 CA；私钥与它不匹配，k3s 无法启动。",
		"请把该 CA 自己的证书放在最前，然后依次是各级签发者，直到根 CA。",
	}},
	{"chain-unrelated", Message{
		"{subject}: \"{.subject}\" and \"{issuer}\" do not belong to one chain.",
		"Every certificate in a CA file is a trust anchor on every node: a stranger would be trusted there. A broken chain also changes the join token.",
		"Keep only the CA and its issuers up to the root; `rootkiln inspect FILE` shows who signed whom.",
	}, Message{
		"{subject}：“{.subject}”与“{issuer}”不属于同一条证书链。",
		"CA 文件中的每张证书都是所有节点的信任锚，无关的证书也会被信任；证书链断裂还会改变加入令牌。",
		"请只保留该 CA 及其各级签发者，直到根 CA；`rootkiln inspect FILE` 可查看签发关系。",
	}},
	{"chain-incomplete", Message{
		"{subject}: the chain does not reach its root: the certificate of \"{issuer}\" is missing.",
		"OpenSSL and Java clients find no trust anchor, and the join token hashes the bytes of the file: it changes with every new leaf CA.",
		"Append the certificate of \"{issuer}\", and what is above it, to the file.",
	}, Message{
		"{subject}：证书链没有到达根 CA：缺少“{issuer}”的证书。",
		"OpenSSL 和 Java 客户端找不到信任锚；加入令牌的哈希会按文件字节计算，每换一次叶子 CA 就会改变。",
		"请把“{issuer}”及其上级的证书追加到文件末尾。",
	}},
	{"chain-extra", Message{
		"{subject}: \"{.subject}\" has nothing to do with the chain in this file.",
		"It is a trust anchor of this component all the same: whoever holds its key is let in.",
		"Remove it, unless a rotation that is not finished still needs it.",
	}, Message{
		"{subject}：“{.subject}”与该文件中的证书链无关。",
		"它仍然是该组件的信任锚：谁持有它的私钥，谁就能进来。",
		"请删除它，除非尚未完成的轮换还需要它。",
	}},
	{"previous-ca", Message{
		"{subject}: \"{.subject}\" is a CA from before a rotation.",
		"It is kept for one rotation, so that what it signed, or what trusts it alone, goes on working until that is renewed.",
		"Drop it at the next rotation: until then its key opens this component.",
	}, Message{
		"{subject}：“{.subject}”是轮换之前的 CA。",
		"它会保留到下一次轮换：在更新完成之前，由它签发的证书和只信任它的客户端仍能正常工作。",
		"请在下一次轮换时移除它；在此之前，持有其私钥的人仍能通过该组件的认证。",
	}},
	{"previous-ca-expired", Message{
		"{subject}: \"{.subject}\", left by a rotation, has ended: {end}.",
		"Nothing that it signed is accepted any more, so it serves nobody.",
		"It may go: leave it out at the next rotation.",
	}, Message{
		"{subject}：轮换后留下的“{.subject}”已于 {end} 过期。",
		"由它签发的一切都已不被接受，它不再有任何用处。",
		"可以移除：下一次轮换时不再放入文件即可。",
	}},
	{"chain-shuffled", Message{
		"{subject}: \"{issuer}\" does not stand right behind the certificate that it signed.",
		"k3s sorts this out, but OpenSSL takes the first issuer that fits: the order decides whether a client that holds only one of the roots gets through.",
		"Order the file: the CA itself, then each issuer behind what it signed, the root last.",
	}, Message{
		"{subject}：“{issuer}”没有紧跟在它所签发的证书之后。",
		"k3s 会自行理顺，但 OpenSSL 采用第一个匹配的签发者：只持有其中一个根 CA 的客户端能否通过，取决于这个顺序。",
		"请调整文件顺序：先是该 CA 自己，随后每级签发者紧跟在其签发的证书之后，根 CA 放在最后。",
	}},
	{"critical-extension", Message{
		"{subject}: carries a critical extension that verifiers do not know ({oid}).",
		"RFC 5280 has them refuse the certificate and all below it: k3s starts, and nothing can connect.",
		"Have the CA issued without it, or with the extension not critical.",
	}, Message{
		"{subject}：带有验证程序不认识的关键扩展（{oid}）。",
		"按 RFC 5280，验证程序会拒绝该证书及其下的一切：k3s 能启动，但没有任何组件能建立连接。",
		"请重新签发不带该扩展的 CA，或将该扩展改为非关键。",
	}},
	{"chain-is-root", Message{
		"{subject}: \"{.subject}\" is self-signed: a root stands where a CA below a root belongs.",
		"Nothing would connect it to the root of your cluster, and its key would have to go online for every signature.",
		"Give it as the root (--root, --root-key), or give the CA that it signed.",
	}, Message{
		"{subject}：“{.subject}”是自签名的：此处应为根 CA 之下的 CA，却给了一个根 CA。",
		"它与集群的根 CA 没有任何联系，而且每次签发都得动用它的私钥。",
		"请把它作为根 CA 提供（--root、--root-key），或提供由它签发的 CA。",
	}},
	{"single-certificate", Message{
		"{subject}: holds a single certificate.",
		"k3s starts with it, but `rotate-ca` takes no file of one certificate, and the join token hashes the very bytes of server-ca.crt.",
		"For a new cluster use full chains: `rootkiln bundle` makes them.",
	}, Message{
		"{subject}：只有一张证书。",
		"k3s 能启动，但 `rotate-ca` 不接受只有一张证书的文件；加入令牌的哈希也只取决于 server-ca.crt 的文件字节。",
		"新集群请使用完整的证书链：`rootkiln bundle` 会生成。",
	}},
	{"subject-mismatch", Message{
		"{subject}: names \"{has}\" as its issuer, but the CA with that key is now called \"{want}\".",
		"k3s notices a new CA by its key alone: it keeps this certificate, although it no longer verifies.",
		"Run `k3s certificate rotate` and restart k3s. The next time, keep the subject of the CA or take a new key.",
	}, Message{
		"{subject}：其中的签发者是“{has}”，但使用该密钥的 CA 现在名为“{want}”。",
		"k3s 只靠密钥发现 CA 已更换：它会留用这张证书，尽管证书已无法通过校验。",
		"请执行 `k3s certificate rotate` 并重启 k3s。下次请保持 CA 的主体不变，或换用新密钥。",
	}},
}
