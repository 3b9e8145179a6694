package report

var inputMessages = messages{
	{"plan-key-alone", Message{
		"A key was given without its certificate.",
		"A key alone says neither which name it signs under nor until when.",
		"Give the certificate as well: on the command line, --root-key goes with --root and --intermediate-key with --intermediate.",
	}, Message{
		"给出了私钥却没有证书。",
		"只有私钥，既不知道它以什么名称签发，也不知道它的有效期。",
		"请同时给出证书：命令行中 --root-key 须与 --root 同用，--intermediate-key 须与 --intermediate 同用。",
	}},
	{"key-several", Message{
		"{subject} holds {count} private keys, one was expected.",
		"Which of them is meant must not be guessed: the wrong one would sign.",
		"Put the one that is meant into a file of its own.",
	}, Message{
		"{subject} 含有 {count} 把私钥，此处只需一把。",
		"要用哪一把不能靠猜：猜错就会用错误的私钥签发。",
		"请把要用的那一把单独放进一个文件。",
	}},
	{"key-cipher", Message{
		"{subject} is encrypted in a way that is not read here (or holds several keys); `openssl pkcs8 -topk8 -in {subject} -out NEW` writes it anew.",
		"No passphrase was tried: this is not a question of the right one.",
		"Run that command where the key is, and take NEW.",
	}, Message{
		"{subject} 的加密方式此处无法读取（或含有多把私钥）；可用 `openssl pkcs8 -topk8 -in {subject} -out NEW` 重新写出。",
		"尚未尝试任何口令：问题不在口令是否正确。",
		"请在存放该私钥的地方执行此命令，再使用 NEW。",
	}},
	{"script-key-alone", Message{
		"{subject} is there but no {stem}.pem or .crt: a key without its certificate.",
		"The k3s script would make a new CA over it.",
		"Put its certificate beside it, or take the key away if a new CA is meant.",
	}, Message{
		"有 {subject}，却没有 {stem}.pem 或 .crt：只有私钥没有证书。",
		"k3s 脚本会在它之上另建新的 CA。",
		"请把它的证书放在旁边；若本来就要新建 CA，请移走该私钥。",
	}},
	{"script-none", Message{
		"{subject} holds none of root-ca.pem, root-ca.crt, intermediate-ca.pem, intermediate-ca.crt, service.key.",
		"With nothing to start from, new roots would be made without a word.",
		"Check that it is the right directory; name files one by one where they are called otherwise.",
	}, Message{
		"{subject} 中没有 root-ca.pem、root-ca.crt、intermediate-ca.pem、intermediate-ca.crt 或 service.key。",
		"没有起点，就会悄悄生成新的根。",
		"请确认目录无误；文件名不同时，请逐个指定文件。",
	}},
	{"script-two", Message{
		"{subject} and {other} are different certificates for the same role.",
		"Which of them the cluster will trust must not be guessed.",
		"Remove the one that is not meant.",
	}, Message{
		"{subject} 与 {other} 是同一角色的两张不同证书。",
		"集群将信任哪一张，不能靠猜。",
		"请移走不要的那一张。",
	}},
	{"signed-twice", Message{
		"{subject} and {other} are both for the request of {@role}.",
		"One of them would silently take the place of the other.",
		"Give the one that is meant.",
	}, Message{
		"{subject} 与 {other} 都是针对{@role}的请求返回的。",
		"其中一张会悄悄取代另一张。",
		"请只给出所要的那一张。",
	}},
	{"clusters-several", Message{
		"{subject}: holds {count} clusters, the first in {first}.",
		"A verdict is about the files of one cluster.",
		"Take the directory of one of them.",
	}, Message{
		"{subject}：其中有 {count} 个集群，第一个在 {first}。",
		"判断只能针对一个集群的文件。",
		"请只取其中一个集群的目录。",
	}},
	{"input-missing", Message{
		"{subject} is not among the files that were given.",
		"What a plan names must be there before anything is made.",
		"Add the file, or take its name out of the plan.",
	}, Message{
		"给出的文件中没有 {subject}。",
		"计划中提到的文件必须齐备，才会开始生成。",
		"请加入该文件，或从计划中去掉它的名称。",
	}},
	{"recipient-secret", Message{
		"A private key stands where a public key belongs.",
		"What encrypts is the public key (age1...); the private one opens everything that was ever encrypted to it.",
		"Give the public key, and treat that private key as seen.",
	}, Message{
		"此处应是公钥，给出的却是私钥。",
		"加密使用公钥（age1…）；私钥能解开曾用它的公钥加密的一切。",
		"请给出公钥，并视该私钥为已泄露。",
	}},
	{"recipient-bad", Message{
		"Recipient {index} is no public key that age encrypts to.",
		"The offline part would be encrypted to nobody who can open it.",
		"Give one key a line: age1..., or an SSH public key (ssh-ed25519, ssh-rsa).",
	}, Message{
		"第 {index} 个收件人不是 age 能用来加密的公钥。",
		"否则离线部分加密之后将无人能够解开。",
		"请每行给出一个公钥：age1…，或 SSH 公钥（ssh-ed25519、ssh-rsa）。",
	}},
	{"seal-locked", Message{
		"{subject} is encrypted with age and wants its passphrase.",
		"What is in it is not known before it is opened.",
		"Give the passphrase.",
	}, Message{
		"{subject} 已用 age 加密，需要口令。",
		"打开之前无法得知其中的内容。",
		"请输入口令。",
	}},
	{"seal-passphrase", Message{
		"{subject}: the passphrase does not open it.",
		"age cannot tell a wrong passphrase from a file that was changed at its head.",
		"Try again; mind the keyboard layout and blanks at the end.",
	}, Message{
		"{subject}：该口令无法打开此文件。",
		"age 无法区分口令错误与文件头部被改动。",
		"请重试，并留意键盘布局和末尾的空格。",
	}},
	{"seal-recipients", Message{
		"{subject} is encrypted to public keys and not with a passphrase.",
		"A private key of age is not asked for here: it opens more than this one file.",
		"Open it where the key is, `age -d -i KEY -o tls-offline.tar.gz {subject}`, and take what comes out.",
	}, Message{
		"{subject} 是用公钥而不是口令加密的。",
		"此处不会索要 age 私钥：它能解开的不止这一个文件。",
		"请在存放私钥的地方解密：`age -d -i KEY -o tls-offline.tar.gz {subject}`，再使用得到的文件。",
	}},
	{"seal-damaged", Message{
		"{subject} is encrypted with age and damaged.",
		"age proves every part of a file: nothing out of one that was changed or cut off can be trusted.",
		"Take another copy.",
	}, Message{
		"{subject} 是用 age 加密的文件，但已损坏。",
		"age 会校验文件的每一部分：被改动或截断的文件，其内容一概不可信。",
		"请换用另一份副本。",
	}},
	{"seal-one-way", Message{
		"Encrypt to public keys or with a passphrase, not both.",
		"age does not mix them: whoever knows the passphrase must be able to tell that nobody else wrote the file.",
		"Choose one.",
	}, Message{
		"请选择用公钥加密或用口令加密，不能两者并用。",
		"age 不允许混用：知道口令的人必须能断定文件不是由他人写成。",
		"请只选一种。",
	}},
	{"settings-unread", Message{
		"{subject}: line {line} is YAML in a form that is not read here.",
		"Certificates that stand in this file are missing from the report.",
		"Look at it with `rootkiln inspect FILE` on the command line, which reads all of YAML.",
	}, Message{
		"{subject}：第 {line} 行的 YAML 形式此处无法读取。",
		"报告中因此缺少该文件内的证书。",
		"请在命令行用 `rootkiln inspect FILE` 查看，它能读取全部 YAML。",
	}},
	{"export-name", Message{
		"{subject}: \"{value}\" is not a DNS label.",
		"Kubernetes takes nothing else as the name of a namespace or, from here, of a Secret.",
		"Use 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
	}, Message{
		"{subject}：“{value}”不是 DNS 标签。",
		"Kubernetes 的命名空间名称只接受这种形式，此处的 Secret 名称也是。",
		"请使用 1 到 63 个小写字母、数字或连字符，首尾须为字母或数字。",
	}},
	{"rotation-exclusive", Message{
		"{one} and {other} do not go together.",
		"Each of them asks for another kind of rotation, and one of the wishes would be dropped without a word.",
		"Choose one; `rootkiln rotate --help` says what each does.",
	}, Message{
		"{one} 与 {other} 不能同时使用。",
		"两者要求的是不同的轮换，其中一个要求会悄悄落空。",
		"请只选其一；各选项的作用见 `rootkiln rotate --help`。",
	}},
	{"rotation-prune-alone", Message{
		"--prune goes with --new-service-key or --service-key-only.",
		"Without a new key every old one stays: tokens that it signed would be refused at once.",
		"Ask for a new service key as well, or leave --prune out.",
	}, Message{
		"--prune 须与 --new-service-key 或 --service-key-only 一起使用。",
		"没有新密钥时，旧密钥全部保留，否则它们签发的令牌会立刻失效。",
		"请同时要求更换服务密钥，或去掉 --prune。",
	}},
}
