package report

var keyMessages = messages{
	{"pem-none", Message{
		"{subject}: no PEM block of the kind {want} was found.",
		"k3s reads PEM only: what stands between BEGIN and END lines. DER and PKCS#12 files have none.",
		"Check that it is the right file; DER becomes PEM with `openssl x509 -inform der -in FILE`.",
	}, Message{
		"{subject}：没有找到 {want} 类型的 PEM 块。",
		"k3s 只读取 PEM，即 BEGIN 行与 END 行之间的内容；DER 和 PKCS#12 文件中没有这种块。",
		"请确认文件无误；DER 可用 `openssl x509 -inform der -in FILE` 转成 PEM。",
	}},
	{"pem-glued", Message{
		"{subject}: on line {line}, the BEGIN or END of a PEM block shares its line with something else.",
		"k3s passes over such a block without a word, and OpenSSL gives up the file: the certificates or keys in it are as good as missing.",
		"Put every BEGIN and every END on a line of its own.",
	}, Message{
		"{subject}：第 {line} 行中，PEM 块的 BEGIN 或 END 标记与其他内容挤在了同一行。",
		"k3s 会悄悄跳过这样的块，OpenSSL 则会放弃整个文件：其中的证书或密钥形同缺失。",
		"请让每个 BEGIN 和 END 标记各占一行。",
	}},
	{"pem-truncated", Message{
		"{subject}: the PEM block at line {line} lacks its beginning or its end.",
		"k3s skips such a block without a word and the chain loses a certificate; with a broken key it does not start.",
		"Copy the file again from its source, to the last line.",
	}, Message{
		"{subject}：第 {line} 行处的 PEM 块缺少开头或结尾。",
		"k3s 会悄悄跳过这样的块，证书链因此少一张证书；若是私钥，则无法启动。",
		"请从来源处重新复制完整的文件，直到最后一行。",
	}},
	{"pem-undecodable", Message{
		"{subject}: the PEM block that ends at line {line} cannot be decoded: {detail}.",
		"k3s skips such a block without a word and the chain loses a certificate; with a broken key it does not start.",
		"Copy the file again from its source.",
	}, Message{
		"{subject}：在第 {line} 行结束的 PEM 块无法解码：{detail}。",
		"k3s 会悄悄跳过这样的块，证书链因此少一张证书；若是私钥，则无法启动。",
		"请从来源处重新复制该文件。",
	}},
	{"pem-type", Message{
		"{subject}: holds a PEM block of the kind {type} where {want} is expected.",
		"k3s passes over blocks of another kind without a word, so something you count on would be missing.",
		"Check whether certificate and key files were mixed up; remove what does not belong here.",
	}, Message{
		"{subject}：此处应为 {want}，文件中却有 {type} 类型的 PEM 块。",
		"k3s 会悄悄跳过其他类型的块，您以为存在的内容其实并不生效。",
		"请检查证书文件和私钥文件是否放反，并删除不该出现的块。",
	}},
	{"pem-normalised", Message{
		"{subject}: was tidied up on reading: {what}.",
		"The content is the same. Some hashes of k3s count every byte, so rootkiln writes one clean form only.",
		"",
	}, Message{
		"{subject}：读取时已规范化：{what}。",
		"内容没有变化。k3s 的某些哈希逐字节计算，因此 rootkiln 只写出一种规范的形式。",
		"",
	}},
	{"pem-unread", Message{
		"{subject}: of its PEM blocks, k3s reads {read} of {blocks}: {what}.",
		"It knows a block only by a BEGIN at the very start of a line, with LF or CRLF at its end, and no certificate with headers. All else it skips without a word: the chain loses a certificate, or k3s does not start.",
		"Write it clean with `tr -d '\\357\\273\\277' <FILE | tr -s '\\r' '\\n' | sed '/:/d' >NEW` and put NEW in its place, with its mode; out of JSON, take the block itself.",
	}, Message{
		"{subject}：{blocks} 个 PEM 块中，k3s 只能读到 {read} 个：{what}。",
		"k3s 只认位于行首、行尾为 LF 或 CRLF 的 BEGIN，也不认带头部字段的证书；其余的块会被悄悄跳过：证书链因此少一张证书，或者 k3s 无法启动。",
		"请用 `tr -d '\\357\\273\\277' <FILE | tr -s '\\r' '\\n' | sed '/:/d' >NEW` 写成规范的形式，再用 NEW 替换原文件，并保持原有权限；若是 JSON，请取出其中的 PEM 块。",
	}},
	{"pem-too-large", Message{
		"{subject}: is larger than {limit}.",
		"A chain or a key has some kilobytes; this is not one.",
		"Check that it is the right file.",
	}, Message{
		"{subject}：超过 {limit}。",
		"证书链或私钥只有几千字节，这个文件不会是。",
		"请确认文件无误。",
	}},
	{"certificate-parse", Message{
		"{subject}: certificate {index} cannot be parsed: {detail}.",
		"One certificate that cannot be parsed makes k3s refuse the whole file.",
		"Get it again from where it was issued, or remove the block.",
	}, Message{
		"{subject}：第 {index} 张证书无法解析：{detail}。",
		"只要有一张证书无法解析，k3s 就会拒绝整个文件。",
		"请向签发方重新获取该证书，或删除该块。",
	}},
	{"key-parse", Message{
		"{subject}: the private key cannot be parsed: {detail}.",
		"k3s does not start with a key file that it cannot parse.",
		"Use PKCS#1, SEC1 or PKCS#8 in PEM; `openssl pkey -in FILE -noout -check` tells whether the key is intact.",
	}, Message{
		"{subject}：无法解析私钥：{detail}。",
		"私钥文件无法解析时，k3s 无法启动。",
		"请使用 PEM 格式的 PKCS#1、SEC1 或 PKCS#8；`openssl pkey -in FILE -noout -check` 可检查私钥是否完好。",
	}},
	{"key-encrypted", Message{
		"{subject}: the private key is encrypted.",
		"k3s cannot ask for a passphrase and refuses an encrypted key. As an input of rootkiln it is fine.",
		"As an input, give --key-passphrase-file or run on a terminal; for a server, write it plain with `openssl pkey -in FILE -out NEW`.",
	}, Message{
		"{subject}：私钥已加密。",
		"k3s 无法询问口令，会拒绝加密的私钥；但作为 rootkiln 的输入没有问题。",
		"作为输入：指定 --key-passphrase-file，或在终端中运行。放到服务器上：先用 `openssl pkey -in FILE -out NEW` 解密。",
	}},
	{"key-passphrase", Message{
		"{subject}: the passphrase does not open the private key.",
		"Without the key nothing can be signed; nothing was written.",
		"Try again. Mind the keyboard layout, and a second line end in a passphrase file.",
	}, Message{
		"{subject}：口令无法解开该私钥。",
		"没有私钥就无法签名；未写入任何文件。",
		"请重试；注意键盘布局，以及口令文件末尾是否有多余的换行。",
	}},
	{"key-tpm", Message{
		"{subject}: this private key belongs to a TPM and works only there.",
		"k3s reads plain key files alone, so the keys of leaf CAs cannot live in a TPM; those of a root or intermediate can.",
		"Make a request here with `rootkiln request` and have it signed where the TPM is.",
	}, Message{
		"{subject}：此私钥属于某个 TPM，只能在那里使用。",
		"k3s 只读取明文私钥文件，因此叶子 CA 的私钥不能放在 TPM 中；根 CA 和中间 CA 的可以。",
		"请在本机用 `rootkiln request` 生成请求，再到 TPM 所在的机器上签发。",
	}},
	{"key-mismatch", Message{
		"{subject}: the private key does not belong to the certificate \"{certificate}\".",
		"k3s takes the pair unread and then does not start: \"provided PrivateKey doesn't match parent's PublicKey\".",
		"Put together the key and the certificate of one pair; the certificate of the CA itself comes first in the file.",
	}, Message{
		"{subject}：私钥与证书“{certificate}”不匹配。",
		"k3s 不检查就接受这对文件，随后无法启动，并报“provided PrivateKey doesn't match parent's PublicKey”。",
		"请使用同一对证书和私钥；文件中排在最前面的须是该 CA 自己的证书。",
	}},
	{"key-missing", Message{
		"{subject}: the private key of the certificate \"{certificate}\" is missing.",
		"Nothing can be signed without it. On a server, k3s would make a new key and overwrite your certificate with a self-signed one, without a word.",
		"Put the key where it belongs before k3s starts (for `rotate`: into OLD). That of a root or an intermediate is given with --root-key or --intermediate-key.",
	}, Message{
		"{subject}：缺少证书“{certificate}”的私钥。",
		"没有私钥就无法签名。在服务器上，k3s 会生成新密钥，并悄悄用自签名证书覆盖您的证书。",
		"请在 k3s 启动前把私钥放回原处（用 `rotate` 时：放入 OLD）；根或中间 CA 的私钥用 --root-key 或 --intermediate-key 提供。",
	}},
	{"key-needed", Message{
		"{subject}: cannot be signed here, the private key of its issuer ({@role}) is not on this machine.",
		"k3s needs every leaf CA complete, certificate and key, before its first start.",
		"Give the key (--root-key, --intermediate-key), or make a request with `rootkiln request` and sign it with `rootkiln sign` where the key is.",
	}, Message{
		"{subject}：无法在此签发，其签发者（{@role}）的私钥不在本机。",
		"k3s 首次启动前，每个叶子 CA 的证书和私钥都必须齐备。",
		"请提供私钥（--root-key、--intermediate-key），或用 `rootkiln request` 生成请求，再到私钥所在的机器上用 `rootkiln sign` 签发。",
	}},
	{"key-unsupported", Message{
		"{subject}: keys of this kind cannot be used: {key}.",
		"Not every program in a cluster can read them. ECDSA (P-256, P-384, P-521) and RSA of 2048 to 8192 bits work everywhere.",
		"Use another key, or let rootkiln make one: p256, p384, p521, rsa2048, rsa3072 or rsa4096.",
	}, Message{
		"{subject}：不能使用这种密钥：{key}。",
		"集群中并非所有程序都能读取它。ECDSA（P-256、P-384、P-521）和 2048 到 8192 位的 RSA 到处可用。",
		"请换用其他密钥，或由 rootkiln 生成：p256、p384、p521、rsa2048、rsa3072 或 rsa4096。",
	}},
	{"key-weak", Message{
		"{subject}: the key is too weak: {key}.",
		"Such a key can be broken, or TLS libraries refuse it. Whoever has the key of a CA can get into the cluster.",
		"Replace it: at least RSA 2048 with the exponent 65537, or P-256.",
	}, Message{
		"{subject}：密钥强度不足：{key}。",
		"这样的密钥可能被破解，或被 TLS 库拒绝。谁拿到 CA 的私钥，谁就能进入集群。",
		"请更换密钥：至少为 RSA 2048（指数 65537）或 P-256。",
	}},
	{"key-reused", Message{
		"{subject}: has the same key as {@other}.",
		"One leaked key would open both. k3s also tells one CA from another by the key alone.",
		"Give each its own key; rootkiln makes new ones where none is given.",
	}, Message{
		"{subject}：与{@other}使用了同一个密钥。",
		"一个密钥泄露，两者都会失守；k3s 也只靠密钥来区分不同的 CA。",
		"请为每个 CA 使用各自的密钥；不提供密钥时，rootkiln 会生成新的。",
	}},
	{"key-leftover", Message{
		"{subject}: holds a private key that k3s does not use.",
		"A key that nobody needs can still be stolen, and goes along into every copy and backup.",
		"Move it to a safe place offline and delete it here.",
	}, Message{
		"{subject}：其中有 k3s 用不到的私钥。",
		"没人需要的私钥照样会被窃取，还会随每份副本和备份一起流出。",
		"请把它移到离线的安全处，并从这里删除。",
	}},
	{"certificate-missing", Message{
		"{subject}: is missing, although its private key is there ({key}).",
		"k3s would make a self-signed certificate from the key, outside your chain, without a word.",
		"Put the certificate chain beside the key before k3s starts.",
	}, Message{
		"{subject}：缺少证书，只有对应的私钥（{key}）。",
		"k3s 会悄悄用该私钥生成自签名证书，不在您的证书链之内。",
		"请在 k3s 启动前把证书链放到私钥旁边。",
	}},
}
