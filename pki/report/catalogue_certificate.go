package report

var certificateMessages = messages{
	{"expired", Message{
		"{subject}: ended at {end} (checked for {at}).",
		"From its end on, whatever depends on it is refused. At a restart k3s renews leaf certificates, never CAs.",
		"A leaf certificate: restart the server or agent. A CA: have it issued again by a living issuer. If {at} is wrong: correct the clock.",
	}, Message{
		"{subject}：已于 {end} 过期（按 {at} 检查）。",
		"过期之后，依赖它的一切都会被拒绝。k3s 重启时只续期叶子证书，从不续期 CA。",
		"叶子证书：重启该服务器或 agent。CA：由仍在有效期内的签发者重新签发。若 {at} 不对：请校准时钟。",
	}},
	{"not-yet-valid", Message{
		"{subject}: is valid from {start} on only (checked for {at}).",
		"Until then every node refuses what depends on it. Mostly a clock is wrong, here or where it was issued.",
		"Correct the clock, on the nodes as well before their first start, or wait.",
	}, Message{
		"{subject}：从 {start} 起才有效（按 {at} 检查）。",
		"在此之前，各节点会拒绝依赖它的一切。多半是本机或签发机器的时钟不准。",
		"请校准时钟（各节点也须在首次启动前校准），或等到生效之后。",
	}},
	{"dates-reversed", Message{
		"{subject}: its end ({end}) is not after its beginning ({start}).",
		"There is no moment at which it is valid.",
		"Have it issued again with the right dates.",
	}, Message{
		"{subject}：结束时间（{end}）不晚于开始时间（{start}）。",
		"这样的证书在任何时刻都无效。",
		"请以正确的日期重新签发。",
	}},
	{"date-before-1970", Message{
		"{subject}: begins at {start}, before 1970.",
		"Times before 1970 are negative numbers for most programs, and some TLS libraries take them wrongly.",
		"Have it issued again, on a machine whose clock is right.",
	}, Message{
		"{subject}：开始时间为 {start}，早于 1970 年。",
		"对多数程序来说，1970 年以前的时间是负数，有些 TLS 库会处理出错。",
		"请在时钟正确的机器上重新签发。",
	}},
	{"child-outlives-parent", Message{
		"{subject}: lives until {end}, its issuer \"{issuer}\" only until {issuerEnd}.",
		"After that, OpenSSL and Java clients refuse the chain while k3s itself carries on: a failure that is hard to find.",
		"Plan the rotation before {issuerEnd}. What rootkiln issues never outlives its issuer.",
	}, Message{
		"{subject}：有效期到 {end}，而签发者“{issuer}”只到 {issuerEnd}。",
		"此后 OpenSSL 和 Java 客户端会拒绝该证书链，k3s 自身却照常运行，这种故障很难排查。",
		"请在 {issuerEnd} 之前安排轮换。由 rootkiln 签发的证书不会晚于签发者到期。",
	}},
	{"child-before-parent", Message{
		"{subject}: begins at {start}, before its issuer \"{issuer}\" ({issuerStart}).",
		"Between the two dates no client finds a valid chain; afterwards it only troubles strict checkers.",
		"Nothing urgent. What rootkiln issues never begins before its issuer.",
	}, Message{
		"{subject}：从 {start} 开始有效，早于签发者“{issuer}”（{issuerStart}）。",
		"这两个日期之间，客户端找不到有效的证书链；此后只有严格的检查工具会提出异议。",
		"不必着急。由 rootkiln 签发的证书不会早于签发者生效。",
	}},
	{"issuer-short-life", Message{
		"{subject}: ends at {end}; days left: {days}, needed: {need}.",
		"All that is signed under it ends with it, and k3s never renews a CA.",
		"Have this CA issued again first, or begin from one that lives longer.",
	}, Message{
		"{subject}：{end} 到期，只剩 {days} 天；至少需要 {need} 天。",
		"由它签发的一切会随它一同失效，而 k3s 从不续期 CA。",
		"请先重新签发该 CA，或改用有效期更长的 CA。",
	}},
	{"leaf-outlives-ca", Message{
		"{subject}: ends at {end}, before leaf certificates that k3s makes under it today (365 days).",
		"The leaf certificates look good for longer than they are: they fail when this CA ends.",
		"Rotate this CA before {end}.",
	}, Message{
		"{subject}：{end} 到期，早于 k3s 现在用它签发的叶子证书（365 天）。",
		"叶子证书看上去还有效，实际上会随该 CA 到期而失效。",
		"请在 {end} 之前轮换该 CA。",
	}},
	{"not-ca", Message{
		"{subject}: is not a CA certificate (basicConstraints lacks CA:TRUE).",
		"k3s does not look: it signs with it, and then every connection in the cluster fails.",
		"Have it issued as a CA: basicConstraints critical, CA:TRUE. `rootkiln request` asks for exactly that.",
	}, Message{
		"{subject}：不是 CA 证书（basicConstraints 中没有 CA:TRUE）。",
		"k3s 不作检查，照样用它签发，之后集群中的所有连接都会失败。",
		"请按 CA 证书重新签发：basicConstraints critical, CA:TRUE；`rootkiln request` 生成的请求正是如此。",
	}},
	{"no-cert-sign", Message{
		"{subject}: its keyUsage does not allow signing certificates (keyCertSign).",
		"k3s does not look: it signs with it, and then clients refuse what it signed.",
		"Have it issued again with keyUsage critical, keyCertSign, cRLSign.",
	}, Message{
		"{subject}：keyUsage 不允许签发证书（缺少 keyCertSign）。",
		"k3s 不作检查，照样用它签发，之后客户端会拒绝它签发的证书。",
		"请以 keyUsage critical, keyCertSign, cRLSign 重新签发。",
	}},
	{"no-crl-sign", Message{
		"{subject}: its keyUsage does not allow signing CRLs (cRLSign).",
		"Kubernetes reads no CRLs, so the cluster misses nothing; only a CRL of an offline root would need it.",
		"",
	}, Message{
		"{subject}：keyUsage 不允许签发 CRL（缺少 cRLSign）。",
		"Kubernetes 不读取 CRL，集群不受影响；只有离线根 CA 要发布 CRL 时才需要它。",
		"",
	}},
	{"name-constraints", Message{
		"{subject}: the name constraints of \"{by}\" forbid \"{name}\", which k3s puts into its certificates.",
		"Clients that check the whole chain (OpenSSL, Java, browsers) refuse the cluster, k3s itself may not notice (k3s #12335).",
		"Have \"{by}\" issued with constraints that permit this name, or use an issuer without any.",
	}, Message{
		"{subject}：“{by}”的名称约束禁止了“{name}”，而 k3s 会把这个名称写入证书。",
		"校验完整证书链的客户端（OpenSSL、Java、浏览器）会拒绝该集群，k3s 自身却可能察觉不到（k3s #12335）。",
		"请重新签发“{by}”并允许该名称，或改用没有名称约束的签发者。",
	}},
	{"name-constraints-set", Message{
		"{subject}: gets name constraints, as the plan asks.",
		"Some TLS libraries (mbedTLS 2.28 for one) cannot read the extension and refuse the whole chain; every client refuses node names and --tls-san outside the list.",
		"Make sure that all names and addresses of your nodes are permitted, and test the clients you care about.",
	}, Message{
		"{subject}：按计划要求加入了名称约束。",
		"有些 TLS 库（如 mbedTLS 2.28）读不懂这个扩展，会拒绝整条证书链；不在名单内的节点名和 --tls-san 会被所有客户端拒绝。",
		"请确认所有节点的名称和地址都在允许范围内，并测试您关心的客户端。",
	}},
	{"eku-breaks-token", Message{
		"{subject}: its extKeyUsage does not include serverAuth.",
		"k3s verifies every CA for serverAuth: `rotate-ca` would refuse it, and the join token would hash the bytes of the file instead of the root.",
		"Have it issued again without extKeyUsage: a CA needs none.",
	}, Message{
		"{subject}：extKeyUsage 中没有 serverAuth。",
		"k3s 按 serverAuth 校验每个 CA：`rotate-ca` 会拒绝它，加入令牌的哈希也会退回为文件字节的哈希，而不再是根 CA 的指纹。",
		"请去掉 extKeyUsage 后重新签发：CA 不需要它。",
	}},
	{"signature-weak", Message{
		"{subject}: is signed with {algorithm}.",
		"Go refuses signatures over MD5 and SHA-1, and with it every component of Kubernetes.",
		"Have it signed again with SHA-256 or better.",
	}, Message{
		"{subject}：签名算法为 {algorithm}。",
		"Go 拒绝基于 MD5 和 SHA-1 的签名，Kubernetes 的所有组件也随之拒绝。",
		"请改用 SHA-256 或更强的算法重新签发。",
	}},
	{"signature-digest", Message{
		"{subject}: is signed with {algorithm}; {want} would suit the issuer's key.",
		"It verifies everywhere. Some security policies ask for the digest that matches the curve.",
		"Nothing urgent; have it signed with {want} the next time.",
	}, Message{
		"{subject}：签名算法为 {algorithm}；与签发者密钥相称的是 {want}。",
		"校验没有问题，但有些安全策略要求摘要算法与曲线相称。",
		"不必着急；下次请用 {want} 签发。",
	}},
	{"serial-range", Message{
		"{subject}: the serial number {serial} is not positive, or longer than 20 octets.",
		"Against RFC 5280. Most clients accept it (k3s gives its own CAs serial 0), strict ones do not.",
		"Nothing urgent; the serials of rootkiln have 16 random octets.",
	}, Message{
		"{subject}：序列号 {serial} 不是正数，或超过 20 字节。",
		"这不符合 RFC 5280。多数客户端会接受（k3s 自己生成的 CA 序列号就是 0），严格的客户端不会。",
		"不必着急；rootkiln 使用 16 字节的随机序列号。",
	}},
	{"serial-duplicate", Message{
		"{subject}: has the same issuer and serial number ({serial}) as \"{other}\".",
		"Firefox and everything else built on NSS refuse the second one they see: SEC_ERROR_REUSED_ISSUER_AND_SERIAL.",
		"Have one of the two issued again with a serial number of its own.",
	}, Message{
		"{subject}：与“{other}”的签发者和序列号（{serial}）相同。",
		"Firefox 及其他基于 NSS 的程序会拒绝后遇到的那一张：SEC_ERROR_REUSED_ISSUER_AND_SERIAL。",
		"请为其中一张换用不同的序列号重新签发。",
	}},
	{"ski-missing", Message{
		"{subject}: has no subject key identifier (SKI).",
		"k3s notices a new CA by this identifier alone; without it, old leaf certificates stay after a rotation.",
		"Have it issued again with an SKI.",
	}, Message{
		"{subject}：没有主体密钥标识符（SKI）。",
		"k3s 只靠这个标识符发现 CA 已更换；没有它，轮换后旧的叶子证书会继续留用。",
		"请加上 SKI 后重新签发。",
	}},
	{"aki-missing", Message{
		"{subject}: has no authority key identifier (AKI).",
		"Behind the first certificate of a file, k3s takes one without AKI for a root: the join token may hash the wrong one.",
		"Have it issued again with the AKI of its issuer.",
	}, Message{
		"{subject}：没有颁发机构密钥标识符（AKI）。",
		"对文件中第一张之后的证书，k3s 会把没有 AKI 的当作根 CA，加入令牌的哈希可能因此算错对象。",
		"请加上签发者的 AKI 后重新签发。",
	}},
	{"aki-mismatch", Message{
		"{subject}: its AKI is not the SKI of its issuer \"{issuer}\".",
		"Go and browsers do not mind, so k3s runs, but OpenSSL, GnuTLS and NSS refuse the chain.",
		"Have it issued again by the certificate that will stand above it.",
	}, Message{
		"{subject}：AKI 与签发者“{issuer}”的 SKI 不一致。",
		"Go 和浏览器不在意，所以 k3s 能运行，但 OpenSSL、GnuTLS 和 NSS 会拒绝该证书链。",
		"请由证书链中实际位于其上的那张证书重新签发。",
	}},
	{"ku-missing", Message{
		"{subject}: has no keyUsage.",
		"k3s accepts it; strict checks such as `openssl verify -x509_strict` demand it of a CA.",
		"Have it issued with keyUsage critical, keyCertSign, cRLSign when it is due.",
	}, Message{
		"{subject}：没有 keyUsage。",
		"k3s 会接受；但 `openssl verify -x509_strict` 等严格检查要求 CA 必须有它。",
		"下次签发时请加上 keyUsage critical, keyCertSign, cRLSign。",
	}},
	{"ku-encipherment", Message{
		"{subject}: its keyUsage has keyEncipherment.",
		"Nothing breaks, but a CA has no use for it; linters report it, for ECDSA keys as an error (RFC 8813).",
		"Leave it out when the CA is next issued, as the profile strict does.",
	}, Message{
		"{subject}：keyUsage 中有 keyEncipherment。",
		"不影响运行，但 CA 用不到它；检查工具会报告，对 ECDSA 密钥还会报错（RFC 8813）。",
		"下次签发该 CA 时请去掉，strict 配置就是这样做的。",
	}},
	{"ku-not-critical", Message{
		"{subject}: its keyUsage is not marked critical.",
		"Clients accept it; RFC 5280 and linters want it critical in a CA.",
		"Have it marked critical when the CA is next issued.",
	}, Message{
		"{subject}：keyUsage 没有标记为 critical。",
		"客户端会接受；但 RFC 5280 和检查工具要求 CA 将其标记为 critical。",
		"下次签发该 CA 时请标记为 critical。",
	}},
	{"bc-not-critical", Message{
		"{subject}: its basicConstraints is not marked critical.",
		"k3s accepts it; `openssl verify -x509_strict` and Python's cryptography refuse the chain.",
		"Have it marked critical when the CA is next issued.",
	}, Message{
		"{subject}：basicConstraints 没有标记为 critical。",
		"k3s 会接受；但 `openssl verify -x509_strict` 和 Python 的 cryptography 会拒绝该证书链。",
		"下次签发该 CA 时请标记为 critical。",
	}},
	{"version-1", Message{
		"{subject}: is an X.509 certificate of version 1 or 2.",
		"Such a certificate cannot say that it is a CA: k3s would sign with it, and then every connection fails.",
		"Have it issued again as version 3 with basicConstraints.",
	}, Message{
		"{subject}：是 X.509 版本 1 或 2 的证书。",
		"这种证书无法声明自己是 CA：k3s 照样用它签发，之后所有连接都会失败。",
		"请按版本 3 重新签发，并带上 basicConstraints。",
	}},
	{"profile-drift", Message{
		"{subject}: the signer departed from the plan (key usage, path length, extKeyUsage or end).",
		"It may well work, but it is not what was planned and checked: a rotation or a strict client may trip over it.",
		"Look at it with `rootkiln inspect FILE`; have it signed again as planned, or agree to the difference.",
	}, Message{
		"{subject}：签发结果与计划不符（密钥用法、路径长度、extKeyUsage 或到期时间）。",
		"它也许能用，但不是计划并检查过的那张证书，轮换或严格的客户端可能因此出错。",
		"请用 `rootkiln inspect FILE` 查看；按计划重新签发，或确认接受这一差异。",
	}},
	{"template-changed", Message{
		"{subject}: the signed certificate is not, byte for byte, the one that was checked.",
		"Only what was checked may leave; nothing was written.",
		"Run it again. If it happens twice, do not use this machine or signing device.",
	}, Message{
		"{subject}：签名后的证书与检查过的内容并非逐字节一致。",
		"只有检查过的内容才能输出；未写入任何文件。",
		"请重新运行；若再次出现，请不要再使用这台机器或签名设备。",
	}},
}
