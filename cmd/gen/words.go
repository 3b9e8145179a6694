package main

// The words of the program, in both languages side by side. Sentences of
// findings are in rootkiln/pki/report; here is what the command line itself
// says. A message is written without field names: one that lacks a language
// does not compile.

var (
	headExamples = text{"Examples:", "示例："}
	headUsage    = text{"Usage:", "用法："}
	headCommands = text{"Commands:", "命令："}
	headFlags    = text{"Flags:", "选项："}
	headGlobal   = text{"Flags of every command:", "通用选项："}
	headMore     = text{"`rootkiln COMMAND --help` has examples and all flags of a command.", "`rootkiln COMMAND --help` 给出各命令的示例和全部选项。"}

	flagLang    = text{"language of messages: en, zh (default: from LC_ALL, LANG)", "消息语言：en、zh（默认取自 LC_ALL、LANG）"}
	flagColor   = text{"colour: auto, always, never (NO_COLOR holds)", "颜色：auto、always、never（遵从 NO_COLOR）"}
	flagQuiet   = text{"print results and errors only", "只输出结果和错误"}
	flagVerbose = text{"print each step", "输出每一步"}
	flagNow     = text{"take this as the current time: RFC 3339 or a date", "以此作为当前时间：RFC 3339 或日期"}
	flagHelp    = text{"help with examples", "带示例的帮助"}

	flagDefaultForm = text{" (default $1)", "（默认 $1）"} // $1: what the library wrote

	msgError       = text{"error", "错误"}
	msgWarning     = text{"warning", "警告"}
	msgNotice      = text{"notice", "提示"}
	msgInterrupted = text{"interrupted; nothing was written", "已中断；未写入任何文件"}
	msgFlagError   = text{"%s; see `%s --help`", "%s；参见 `%s --help`"}
	msgArguments   = text{"%d arguments are not what this command takes; usage: %s; see `%s --help`", "参数个数 %d 不符合此命令的用法：%s；参见 `%s --help`"}
	msgCommand     = text{"there is no command %q; see `%s --help`", "没有命令 %q；参见 `%s --help`"}
	msgCommandNear = text{"there is no command %q; did you mean `%s`? see `%s --help`", "没有命令 %q；是否想用 `%s`？参见 `%s --help`"}
	msgBadChoice   = text{"%s: %q is not one of %s", "%s：%q 不在可选值之内：%s"}
)

// Flags.
var (
	flagFile                 = text{"plan file (YAML or JSON); flags override it", "计划文件（YAML 或 JSON）；命令行选项优先"}
	flagDistro               = text{"distribution (default k3s)", "发行版（默认 k3s）"}
	flagName                 = text{"name of the cluster, a DNS label; stands in every subject", "集群名称（DNS 标签），写入每张证书的主体"}
	flagTopology             = text{"isolated: every trust domain has its own root (default); shared: one root for all, as the k3s example script", "isolated：每个信任域各有其根（默认）；shared：全部共用一个根，与 k3s 示例脚本相同"}
	flagProfile              = text{"strict (default), or upstream: the shapes of the k3s example script", "strict（默认），或 upstream：与 k3s 示例脚本的证书形状一致"}
	flagRootAlg              = text{"key of roots: p256 p384 p521 rsa2048 rsa3072 rsa4096 (default p384)", "根 CA 的密钥：p256 p384 p521 rsa2048 rsa3072 rsa4096（默认 p384）"}
	flagIntermediateAlg      = text{"key of the intermediate (default p384)", "中间 CA 的密钥（默认 p384）"}
	flagCAAlg                = text{"key of the leaf CAs (default p256)", "叶子 CA 的密钥（默认 p256）"}
	flagServiceAlg           = text{"key for ServiceAccount tokens (default rsa2048)", "ServiceAccount 令牌的密钥（默认 rsa2048）"}
	flagRootValidity         = text{"lifetime of roots: 20y, 7300d or an end date (default 20y; a year has 365 days)", "根 CA 的有效期：20y、7300d 或截止日期（默认 20y，一年按 365 天计）"}
	flagIntermediateValidity = text{"lifetime of the intermediate (default 10y)", "中间 CA 的有效期（默认 10y）"}
	flagCAValidity           = text{"lifetime of the leaf CAs (default 10y)", "叶子 CA 的有效期（默认 10y）"}
	flagOrganization         = text{"O in every subject (repeatable)", "写入每张证书主体的 O（可重复）"}
	flagElsewhere            = text{"authorities whose keys are on another machine: root, intermediate, client-root ...", "私钥在另一台机器上的 CA：root、intermediate、client-root 等"}
	flagPermitDNS            = text{"limit server-ca to these DNS names (name constraint; some verifiers cannot read it)", "把 server-ca 限制在这些 DNS 名称内（名称约束；部分验证器不支持）"}
	flagPermitIP             = text{"limit server-ca to these IP ranges (CIDR)", "把 server-ca 限制在这些 IP 网段内（CIDR）"}

	flagRoot              = text{"existing root certificate, or a chain that begins with the signing one", "已有的根证书，或以签发证书开头的证书链"}
	flagRootKey           = text{"its private key; - reads standard input", "它的私钥；- 表示从标准输入读取"}
	flagIntermediate      = text{"existing intermediate certificate, with the chain above it", "已有的中间证书及其上级证书链"}
	flagIntermediateKey   = text{"its private key; - reads standard input", "它的私钥；- 表示从标准输入读取"}
	flagInputs            = text{"take root-ca.*, intermediate-ca.* and service.key from this directory", "从该目录读取 root-ca.*、intermediate-ca.* 和 service.key"}
	flagServiceKey        = text{"existing service.key, kept behind a new one (repeatable)", "已有的 service.key，保留在新密钥之后（可重复）"}
	flagServiceKeyKeep    = text{"make no new service key: the existing one goes on signing", "不生成新的服务密钥：由已有密钥继续签名"}
	flagKeyPassphraseFile = text{"file with the passphrase of encrypted input keys; otherwise asked on the terminal", "存放输入私钥口令的文件；否则在终端询问"}

	flagOut            = text{"server part: archive (.tar.gz .tgz .tar), directory, or -", "服务器部分：归档（.tar.gz .tgz .tar）、目录或 -"}
	flagOfflineOut     = text{"offline part (default: beside --out, NAME-offline)", "离线部分（默认在 --out 旁边，名为 NAME-offline）"}
	flagOutDir         = text{"directory to make", "要创建的目录"}
	flagForce          = text{"replace existing output; inputs are never replaced", "替换已有的输出；输入文件永不替换"}
	flagReportForm     = text{"form of the report", "报告的格式"}
	flagEncryptTo      = text{"encrypt the offline part to this age or SSH public key, or a file of them (repeatable)", "用此 age 或 SSH 公钥（或公钥文件）加密离线部分（可重复）"}
	flagPassphrase     = text{"encrypt the offline part with a passphrase, asked on the terminal", "用口令加密离线部分，口令在终端询问"}
	flagPassphraseFile = text{"encrypt the offline part with the passphrase in this file", "用此文件中的口令加密离线部分"}
	flagResume         = text{"finish the bundle of this request directory", "完成此请求目录对应的套件"}
	flagSigned         = text{"certificate that came back for a request (repeatable)", "针对请求返回的证书（可重复）"}
	flagDryRun         = text{"show the plan and make nothing", "只展示计划，不生成任何东西"}
	flagAt             = text{"judge at this time: RFC 3339 or a date (default: now)", "以此时刻判断：RFC 3339 或日期（默认：现在）"}
	flagRootRole       = text{"which root of the plan: root, client-root ...", "计划中的哪个根：root、client-root 等"}
	flagSignPlan       = text{"plan.json of the request", "请求目录中的 plan.json"}
	flagSignRoot       = text{"certificate of the signing authority, with the chain above it", "签发机构的证书及其上级证书链"}
	flagSignKey        = text{"its private key; - reads standard input", "它的私钥；- 表示从标准输入读取"}
	flagSignOut        = text{"certificate to write (default ROLE.crt)", "要写入的证书文件（默认 ROLE.crt）"}
)

// Words and sentences of the receipts.
var (
	wordMade     = text{"made", "已生成"}
	wordRoot     = text{"root", "根 CA"}
	wordToken    = text{"token", "令牌"}
	wordLives    = text{"lives", "有效期"}
	wordTopology = text{"topology", "拓扑"}
	wordSubject  = text{"subject", "主体"}
	wordIssuer   = text{"issuer", "签发者"}
	wordPlan     = text{"plan", "计划"}

	headTopology = text{"Topology", "拓扑"}
	headTimeline = text{"Timeline", "时间线"}
	headFiles    = text{"Files for the server", "服务器文件"}
	headDigest   = text{"Plan digest (SHA-256)", "计划摘要（SHA-256）"}

	msgPlanHead     = text{"%s  name %s  topology %s  profile %s  time %s", "%s  名称 %s  拓扑 %s  配置 %s  时间 %s"}
	msgPlanNext     = text{"nothing was made; next: rootkiln bundle with the same flags", "未生成任何东西；下一步：用相同的选项运行 rootkiln bundle"}
	msgKeyElsewhere = text{"key elsewhere", "私钥在别处"}

	msgKeyDone     = text{"[%d/%d] %s: %s key in %s", "[%d/%d] %s：%s 密钥，用时 %s"}
	msgServerPart  = text{"for the first server: %d files", "给第一台服务器：%d 个文件"}
	msgOfflinePart = text{"for the safe, never for a server: %d CA keys", "放入保险柜，绝不放到服务器上：%d 把 CA 私钥"}
	msgTokenTail   = text{"  (add server:PASSWORD)", "  （其后接 server:密码）"}
	msgLives       = text{"until %s: %s ends first", "到 %s 为止：%s 最先到期"}
	msgUntil       = text{"until %s", "到 %s 为止"}
	msgIsolated    = text{"isolated: logging in, front proxy and etcd each have a root of their own", "isolated：登录、前端代理和 etcd 各有自己的根"}
	msgShared      = text{"shared: a certificate under any leaf CA is trusted by all components", "shared：任一叶子 CA 签发的证书会被所有组件信任"}

	msgStateDone  = text{"%s is no longer needed, its keys are in the offline part: delete it", "%s 不再需要，其中的私钥已在离线部分：请删除它"}
	msgNextVerify = text{"next: rootkiln verify %s", "下一步：rootkiln verify %s"}

	msgNextRoot         = text{"next: rootkiln bundle --root %[1]s/root-ca.crt --root-key %[1]s/root-ca.key", "下一步：rootkiln bundle --root %[1]s/root-ca.crt --root-key %[1]s/root-ca.key"}
	msgNextIntermediate = text{"next: rootkiln bundle --intermediate %[1]s/intermediate-ca.crt --intermediate-key %[1]s/intermediate-ca.key", "下一步：rootkiln bundle --intermediate %[1]s/intermediate-ca.crt --intermediate-key %[1]s/intermediate-ca.key"}
	msgNextDomainRoot   = text{"next: sign the requests for it with rootkiln sign (certificate and key are in %s)", "下一步：用 rootkiln sign 为其签发请求（证书和私钥在 %s 中）"}

	msgRequestFor  = text{"request of %s, to be signed by %s", "%s 的请求，由 %s 签发"}
	msgOtherTime   = text{"warning: made as of %s, and the clock of this machine says %s", "警告：按 %s 生成，而本机时钟为 %s"}
	msgRequestKey  = text{"public key of %s", "%s 的公钥"}
	headCompare    = text{"Compare with the other room (SHA-256): a request can be exchanged on the way", "请与另一间屋核对（SHA-256）：请求可能在途中被调换"}
	msgPlanTravels = text{"travels with the requests", "随请求一起带走"}
	msgStateStays  = text{"private keys: stays here", "含私钥：留在本机"}
	msgNextSign    = text{"in the other room: rootkiln sign -f plan.json --root ROOT.crt --root-key ROOT.key %s.csr --out %s.crt", "在另一间屋：rootkiln sign -f plan.json --root ROOT.crt --root-key ROOT.key %s.csr --out %s.crt"}
	msgNextResume  = text{"then, back here:   rootkiln bundle --resume %s --signed %s.crt", "然后回到这里：    rootkiln bundle --resume %s --signed %s.crt"}
	msgSignedChain = text{"chain of %d certificates", "含 %d 张证书的证书链"}
	msgNextBack    = text{"next: take %s back and run rootkiln bundle --resume DIR --signed FILE there", "下一步：把 %s 带回去，在那里运行 rootkiln bundle --resume DIR --signed FILE"}

	msgTokenRoot     = text{"mode root: the hash of %s; it holds until %s, after that the hash of the file's bytes takes its place", "root 模式：%s 的哈希；有效至 %s，此后改用文件字节的哈希"}
	msgTokenFile     = text{"mode file: one certificate, so the hash is over the file's bytes; it changes with every renewal", "file 模式：只有一张证书，哈希取自文件字节；每次更新都会改变"}
	msgTokenFallback = text{"mode fallback: the chain does not verify (%s), so the server hashes the file's bytes without a word", "fallback 模式：证书链验证失败（%s），服务器会悄悄改用文件字节的哈希"}
	msgTokenNext     = text{"next: append server:PASSWORD, with the password given to the first server as --token", "下一步：在其后接 server:密码，即首台服务器 --token 所用的密码"}
	msgManDone       = text{"man pages are in %[1]s; next: man -l %[1]s/rootkiln.1", "手册页在 %[1]s 中；下一步：man -l %[1]s/rootkiln.1"}
	msgLeftover      = text{"notice: %s is left over from a run that was killed and may hold keys; look at it and delete it", "提示：%s 是某次被强行终止的运行留下的，可能含有私钥；请查看后删除"}
	msgForeignGround = text{"%s is not read: containers, volumes and the datastore are not the node's own", "不读取 %s：其中是容器、卷或数据存储，不属于节点自身"}
	msgNotRegular    = text{"not a regular file", "不是普通文件"}
	msgLinkOut       = text{"warning: %s was passed over: it is a link to %s, outside of what was given", "警告：已跳过 %s：它是指向 %s 的链接，位于所给路径之外"}
	msgSkipped       = text{"warning: %s was passed over: %s", "警告：已跳过 %s：%s"}
)

// What is wrong with a call or an input.
var (
	msgOnePlan               = text{"%s holds %d plans, this command takes one", "%s 含有 %d 份计划，此命令只接受一份"}
	msgUnreadable            = text{"cannot read %s: %s", "无法读取 %s：%s"}
	msgSecretOnCommandLine   = text{"a secret (a private key, a token, a value of the datastore) stands where the name of its file belongs; command lines are seen by others, so treat it as seen", "此处应是文件名，给出的却是秘密本身（私钥、令牌或数据存储中的值）；命令行会被他人看到，请视其为已泄露"}
	msgContentOnCommandLine  = text{"%d characters stand where the name of a file belongs, more than any name has; if it was the content of a secret file, treat that as seen", "此处应是文件名，给出的却有 %d 个字符，比任何文件名都长；若这是秘密文件的内容，请视其为已泄露"}
	msgIsDirectory           = text{"%s is a directory where a file was expected", "%s 是目录，此处需要文件"}
	msgNotDirectory          = text{"%s is not a directory", "%s 不是目录"}
	msgEmptySecret           = text{"%s: an empty passphrase protects nothing", "%s：空口令起不到保护作用"}
	msgSecretFileWide        = text{"warning: %s can be read by others (mode %o); chmod 600 it", "警告：%s 可被其他用户读取（权限 %o）；请 chmod 600"}
	msgAskKeyPassphrase      = text{"Passphrase of %s: ", "%s 的口令："}
	msgNoTerminalForKey      = text{"%s is encrypted and there is no terminal to ask on; use --key-passphrase-file", "%s 已加密，且没有终端可供询问；请使用 --key-passphrase-file"}
	msgAskPassphrase         = text{"Passphrase for the offline part: ", "离线部分的口令："}
	msgAskAgain              = text{"Once more: ", "再输入一次："}
	msgNoTerminal            = text{"there is no terminal to ask on; use --passphrase-file", "没有终端可供询问；请使用 --passphrase-file"}
	msgPassphrasesDiffer     = text{"the two passphrases differ; nothing was written", "两次输入的口令不一致；未写入任何文件"}
	msgSignedWithoutResume   = text{"--signed goes with --resume DIR", "--signed 须与 --resume DIR 同用"}
	msgResumeHasPlan         = text{"%s does not go with --resume: the plan was made when the request was", "%s 不能与 --resume 同用：计划在生成请求时已经确定"}
	msgResumeNeedsSigned     = text{"--resume needs --signed FILE for every request", "--resume 需要为每个请求给出 --signed FILE"}
	msgStdoutNeedsOffline    = text{"--out - needs --offline-out PATH: a root or intermediate key will be made and must go somewhere", "--out - 需要 --offline-out PATH：将生成根或中间 CA 的私钥，必须有处存放"}
	msgOfflineToStdout       = text{"CA keys for the safe do not go to standard output; name a file or directory", "应放入保险柜的 CA 私钥不输出到标准输出；请给出文件或目录"}
	msgSealNothing           = text{"there is no offline part to encrypt; name it with --offline-out", "没有可加密的离线部分；请用 --offline-out 指定"}
	msgSealOneWay            = text{"choose one of --encrypt-to, --passphrase, --passphrase-file", "--encrypt-to、--passphrase、--passphrase-file 只能选一种"}
	msgRecipientSecret       = text{"--encrypt-to was given a private key; give the public one (age1...) and treat that key as seen", "--encrypt-to 收到的是私钥；请给出公钥（age1…），并视该私钥为已泄露"}
	msgRecipientBad          = text{"%s is neither an age or SSH public key nor a file of them", "%s 既不是 age 或 SSH 公钥，也不是公钥文件"}
	msgIntermediateNeedsRoot = text{"an intermediate needs --root FILE and --root-key FILE; for a root on another machine use rootkiln request", "中间 CA 需要 --root FILE 与 --root-key FILE；根在另一台机器上时请用 rootkiln request"}
	msgSignNeeds             = text{"sign needs -f plan.json, --root FILE and --root-key FILE", "sign 需要 -f plan.json、--root FILE 与 --root-key FILE"}
	msgEmptyFlag             = text{"%s was given without a value; is a variable of the shell not set?", "%s 没有给出值；是否有未设置的 shell 变量？"}
	msgSeveralClusters       = text{"%s holds %d clusters; name one, such as %s", "%s 中有 %d 个集群；请指定其中一个，例如 %s"}
	msgServerCAUnreadable    = text{"%s: server-ca.crt cannot be read: %v; a k3s of today cannot read it either, and no node could join", "%s：server-ca.crt 无法解析：%v；当前的 k3s 同样读不了它，任何节点都无法加入"}
	msgNoServerCA            = text{"%s holds no readable server-ca.crt", "%s 中没有可读的 server-ca.crt"}
)
