package report

var planMessages = messages{
	{"plan-unknown-field", Message{
		"The plan has a field that rootkiln does not know: \"{field}\".",
		"A misspelt field must not be passed over: the default would go into your CAs without a word.",
		"Correct the spelling or remove the field.",
	}, Message{
		"计划文件中有 rootkiln 不认识的字段“{field}”。",
		"拼错的字段不能直接忽略，否则 CA 会悄悄用上默认值。",
		"请改正拼写，或删除该字段。",
	}},
	{"plan-unreadable", Message{
		"The document cannot be read: {detail}.",
		"Nothing is made from a plan that is only half understood.",
		"Correct the file; `rootkiln plan -f FILE` shows what it means and makes nothing.",
	}, Message{
		"无法读取该文档：{detail}。",
		"只读懂一半的计划，不能用来生成任何东西。",
		"请修正文件；`rootkiln plan -f FILE` 只解读计划，不生成任何文件。",
	}},
	{"plan-version", Message{
		"{subject}: is \"{value}\", but \"{want}\" is needed here.",
		"In another kind or version of document, the same fields may mean something else.",
		"Take a document of the needed kind, or the version of rootkiln that wrote this one.",
	}, Message{
		"{subject}：值为“{value}”，此处需要“{want}”。",
		"文档的类型或版本不同，同名字段的含义可能也不同。",
		"请改用所需类型的文档，或使用写出该文档的那个 rootkiln 版本。",
	}},
	{"plan-value", Message{
		"{subject}: \"{value}\" is not possible; expected: {want}.",
		"Your CAs live for years: only values that are known to work in k3s go into them.",
		"Choose a value as shown, or leave it out: the default suits most clusters.",
	}, Message{
		"{subject}：不支持“{value}”，应为：{want}。",
		"CA 要用很多年，只有确知能在 k3s 中正常工作的值才会写入。",
		"请按上面的形式取值，或省略不写：默认值适合大多数集群。",
	}},
	{"plan-name", Message{
		"The cluster name \"{value}\" is not a DNS label.",
		"The name goes into certificate subjects, file names and other tools; not all of them take other characters.",
		"Use 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
	}, Message{
		"集群名称“{value}”不是合法的 DNS 标签。",
		"名称会写入证书主体和文件名，也会交给其他工具，其他字符未必都能接受。",
		"请使用 1 到 63 个小写字母、数字或连字符，首尾须为字母或数字。",
	}},
	{"plan-text", Message{
		"{subject}: \"{value}\" cannot stand in the subject of a certificate.",
		"RFC 5280 allows 1 to 64 characters there, and control characters would break whatever shows the certificate.",
		"Shorten the text or remove the special characters.",
	}, Message{
		"{subject}：“{value}”不能写入证书主体。",
		"RFC 5280 规定此处为 1 到 64 个字符；控制字符还会破坏证书的显示。",
		"请缩短文字，或去掉特殊字符。",
	}},
	{"plan-lifetime", Message{
		"{subject}: \"{value}\" is not a lifetime, or would reach beyond the year 9999.",
		"k3s never renews a CA, so its end has to be a decision and not a guess.",
		"Write 10y (a year has 365 days), 3650d or 720h, or the end itself: 2036-01-01.",
	}, Message{
		"{subject}：“{value}”不是有效期，或超出了公元 9999 年。",
		"k3s 不会自动续期 CA，到期时间必须明确，不能靠猜测。",
		"请写成 10y（一年按 365 天计）、3650d 或 720h，或直接写到期日：2036-01-01。",
	}},
	{"plan-time-missing", Message{
		"The plan has no time of issue.",
		"Every date of every certificate is counted from it, and the core never reads a clock.",
		"Set time in the plan, for example 2026-11-22T20:00:00Z.",
	}, Message{
		"计划中没有签发时间。",
		"所有证书的日期都从签发时间算起，而核心代码从不读取系统时钟。",
		"请在计划中设置 time，例如 2026-11-22T20:00:00Z。",
	}},
	{"plan-duplicate-name", Message{
		"Several plans in one run need names of their own; this one is used twice or is empty: \"{name}\".",
		"The files of two clusters would stand in each other's place.",
		"Give every plan a different name.",
	}, Message{
		"一次运行多个计划时，各计划须有不同的名称；此名称重复或为空：“{name}”。",
		"否则两个集群的文件会互相覆盖。",
		"请为每个计划设置不同的 name。",
	}},
	{"plan-lifetime-order", Message{
		"{subject}: would end at {end}, which is not after {start}.",
		"A CA that is over before it is used is refused by everything in the cluster.",
		"Choose a later end; if {start} is not the time of today, correct the clock or give --now.",
	}, Message{
		"{subject}：到期时间 {end} 不晚于 {start}。",
		"尚未使用就已到期的 CA，会被集群中的所有组件拒绝。",
		"请选择更晚的到期时间；如果 {start} 不是当前时间，请校准时钟或指定 --now。",
	}},
	{"plan-long-life", Message{
		"{subject}: lives until {end}, more than 30 years.",
		"Hardly anybody can promise to keep a key safe, and its algorithm sound, for so long.",
		"",
	}, Message{
		"{subject}：有效期到 {end}，超过 30 年。",
		"很难保证密钥在这么长时间内不泄露、算法不过时。",
		"",
	}},
	{"plan-short-life", Message{
		"{subject}: ends soon; days left: {days}.",
		"k3s renews leaf certificates, never CAs: when this one ends, all that it signed is refused.",
		"Choose a longer validity, or put the date of the rotation into your calendar now.",
	}, Message{
		"{subject}：即将到期，只剩 {days} 天。",
		"k3s 只续期叶子证书，从不续期 CA：它一到期，由它签发的一切都会被拒绝。",
		"请选择更长的有效期，或现在就把轮换日期记入日程。",
	}},
	{"plan-lifetime-cut", Message{
		"{subject}: ends at {end} instead of {asked}, together with its issuer ({@issuer}).",
		"After the end of the issuer, clients that check the whole chain refuse what it signed anyway.",
		"",
	}, Message{
		"{subject}：到期时间由 {asked} 缩短为 {end}，与签发者（{@issuer}）一致。",
		"签发者到期后，校验完整证书链的客户端本来就会拒绝它签发的证书。",
		"",
	}},
	{"plan-ed25519", Message{
		"{subject}: Ed25519 keys do not work here.",
		"k3s does not start with an Ed25519 service account key, and no test of k3s covers such a CA.",
		"Use p256 or p384 for CAs, rsa2048 or p256 for the service account key.",
	}, Message{
		"{subject}：此处不能使用 Ed25519 密钥。",
		"服务账号密钥若为 Ed25519，k3s 无法启动；k3s 也没有任何测试覆盖这种 CA。",
		"CA 请用 p256 或 p384，服务账号密钥请用 rsa2048 或 p256。",
	}},
	{"plan-not-used", Message{
		"{subject}: was given, but the chosen topology has no place for it.",
		"To leave it aside without a word would put your cluster under another CA than the one you meant.",
		"Remove it, or choose the topology that has it: `--topology isolated` or `--topology shared`.",
	}, Message{
		"{subject}：已提供，但所选拓扑中没有它的位置。",
		"如果悄悄忽略它，集群就会归到另一个 CA 之下，而不是您想要的那个。",
		"请去掉它，或改用包含它的拓扑：`--topology isolated` 或 `--topology shared`。",
	}},
}

var requestMessages = messages{
	{"request-parse", Message{
		"{subject}: the certificate request cannot be parsed: {detail}.",
		"What cannot be read completely is not signed.",
		"Copy the request again from the machine that made it.",
	}, Message{
		"{subject}：无法解析证书请求：{detail}。",
		"不能完整读懂的请求，不予签发。",
		"请从生成它的机器上重新复制。",
	}},
	{"request-signature", Message{
		"{subject}: the signature of the certificate request is wrong.",
		"It proves that the sender holds the private key. Without it, anybody could ask for a CA over a foreign key.",
		"Copy the request again; if that does not help, make a new one with `rootkiln request`.",
	}, Message{
		"{subject}：证书请求的签名无效。",
		"这个签名证明申请者持有私钥；没有它，任何人都能拿别人的公钥来申请 CA 证书。",
		"请重新复制该请求；若仍无效，请用 `rootkiln request` 重新生成。",
	}},
	{"request-unknown", Message{
		"{subject}: the plan has nothing to sign for \"{.subject}\".",
		"Only what the plan foresees is signed: a CA certificate opens the whole cluster.",
		"Use the very plan that the request was made from (name and time count), or make the request again.",
	}, Message{
		"{subject}：计划中没有需要为“{.subject}”签发的证书。",
		"只签发计划中列出的证书：一张 CA 证书足以打开整个集群。",
		"请使用生成该请求时的同一份计划（name 和 time 须一致），或重新生成请求。",
	}},
	{"request-key", Message{
		"{subject}: the request has a {has} key, the plan wants {want}.",
		"The algorithm is part of the plan that was agreed on; a request must not change it.",
		"Make the request again from this plan, or change the algorithm in the plan.",
	}, Message{
		"{subject}：请求中的密钥是 {has}，计划要求 {want}。",
		"算法是既定计划的一部分，请求不能改变它。",
		"请按此计划重新生成请求，或修改计划中的算法。",
	}},
	{"request-asks-more", Message{
		"{subject}: asks for more than the plan gives; that was left out.",
		"Extensions and dates come from the plan, never from a request.",
		"",
	}, Message{
		"{subject}：请求的内容超出计划，超出部分已忽略。",
		"扩展和日期只取自计划，从不取自请求。",
		"",
	}},
	{"input-changed", Message{
		"{subject}: is another one than when the request was made (SHA-256 {was}, now {is}).",
		"The plan that was signed for named the old one; the cluster would get what nobody agreed to.",
		"Put the old file back, or begin again with `rootkiln request`.",
	}, Message{
		"{subject}：与生成请求时不是同一个（SHA-256 {was}，现在是 {is}）。",
		"签发所依据的计划指的是原来那一个；继续下去，集群会得到无人同意过的东西。",
		"请放回原来的文件，或重新执行 `rootkiln request`。",
	}},
	{"request-several", Message{
		"{subject}: {count} PEM blocks where one certificate request was expected.",
		"Each request is vetted and signed by itself: what was signed must be clear from the file's name.",
		"Put every request into a file of its own.",
	}, Message{
		"{subject}：有 {count} 个 PEM 块，此处只应有一个证书请求。",
		"每个请求单独审核、单独签发：从文件名就应看出签发了什么。",
		"请把每个请求放进各自的文件。",
	}},
	{"request-none", Message{
		"Nothing in this plan is signed on another machine, so there is nothing to request.",
		"A request is needed only where the key of an issuer is elsewhere.",
		"Name the issuer with `--elsewhere root` or `--elsewhere intermediate`, or make all of it here with `rootkiln bundle`.",
	}, Message{
		"此计划中没有需要在其他机器上签发的证书，无需生成请求。",
		"只有签发者的私钥在别处时，才需要证书请求。",
		"请用 `--elsewhere root` 或 `--elsewhere intermediate` 指明签发者，或用 `rootkiln bundle` 在本机完成。",
	}},
	{"request-not-issuer", Message{
		"{subject}: is not the issuer that the plan names for {@role}; that one has the SHA-256 {issuer}.",
		"Under another issuer the chain does not reach the root of the plan, and the join token becomes another.",
		"Give the certificate and the key of the planned issuer.",
	}, Message{
		"{subject}：这不是计划为{@role}指定的签发者；指定签发者证书的 SHA-256 为 {issuer}。",
		"签发者不对，证书链就到不了计划中的根 CA，加入令牌也会改变。",
		"请提供计划中指定的签发者的证书和私钥。",
	}},
	{"signed-missing", Message{
		"The signed certificate of {@role} is missing.",
		"Without it the bundle has no chain to its root, and k3s would make a CA of its own in its place.",
		"Add it with `--signed FILE`.",
	}, Message{
		"缺少已签发的证书：{@role}。",
		"缺了它，套件就没有通向根 CA 的证书链，k3s 还会自行生成一个 CA 来代替。",
		"请用 `--signed FILE` 加入该证书。",
	}},
	{"signed-key-mismatch", Message{
		"{subject}: this certificate was not made for the key of the request.",
		"k3s would not start with a certificate and a key that do not belong together.",
		"Give the certificate that answers this request; an answer to an earlier request does not fit.",
	}, Message{
		"{subject}：此证书与请求所用的密钥不匹配。",
		"证书与私钥不是一对，k3s 无法启动。",
		"请提供针对本次请求签发的证书；先前请求的结果不能使用。",
	}},
	{"state-unreadable", Message{
		"{subject}: the saved state of the request cannot be read: {detail}.",
		"It holds the private keys of the request: without it, the signed certificates are of no use.",
		"Give the directory that `rootkiln request` made, unchanged; if it is lost, begin again with a new request.",
	}, Message{
		"{subject}：无法读取保存的请求状态：{detail}。",
		"其中有请求对应的私钥；没有它，签发回来的证书毫无用处。",
		"请指定 `rootkiln request` 生成的目录，且不要改动其中内容；如已丢失，请重新生成请求。",
	}},
}
