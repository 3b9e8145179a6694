package report

import (
	"strings"

	"rootkiln/pki"
)

var rotationMessages = messages{
	{"rotation-key-missing", Message{
		"{subject} cannot change: the key of its issuer {issuer} is missing (certificate SHA-256 {sha256}).",
		"A CA that the present issuer or root has not signed is refused by rotate-ca, and with --force every node is locked out.",
		"Give the offline part of the bundle with --inputs, or the key with --root-key or --intermediate-key. Without any: make a new bundle and plan an outage.",
	}, Message{
		"{subject}无法更换：缺少其签发者 {issuer} 的私钥（证书 SHA-256 {sha256}）。",
		"未经现有签发者或根签名的 CA 会被 rotate-ca 拒绝；若用 --force，所有节点都会被挡在外面。",
		"请用 --inputs 给出套件的离线部分，或用 --root-key、--intermediate-key 给出私钥。若都没有：只能另做新套件，并安排停机。",
	}},
	{"rotation-kept", Message{
		"{subject} stays as it is: the key of its issuer {issuer} was not given.",
		"The others change without it; this one keeps its end.",
		"Give its key as well, or name the CAs that are meant with --only.",
	}, Message{
		"{subject}保持不变：没有给出其签发者 {issuer} 的私钥。",
		"其他 CA 照常更换；它的到期日不变。",
		"请一并给出它的私钥，或用 --only 指明要更换的 CA。",
	}},
	{"rotation-self-signed", Message{
		"{subject} is its own root ({issuer}), as k3s makes it by itself.",
		"Nothing stands above it that could sign another one, and k3s refuses a self-signed CA alone.",
		"Give it a root of its own: `rootkiln rotate --new-root`.",
	}, Message{
		"{subject}本身就是根（{issuer}），即 k3s 自行生成的样子。",
		"其上没有可以签发新 CA 的证书，而 k3s 不接受单独一张自签名 CA。",
		"请为它建立自己的根：`rootkiln rotate --new-root`。",
	}},
	{"rotation-no-intermediate", Message{
		"None of the CAs that change has an intermediate.",
		"Their issuer is the root itself, so there is nothing that --new-intermediate could renew.",
		"Leave the flag out.",
	}, Message{
		"要更换的 CA 都没有中间 CA。",
		"它们直接由根签发，--new-intermediate 没有可更换的对象。",
		"请去掉该选项。",
	}},
	{"rotation-topology", Message{
		"The CAs of this cluster share some roots and not others, so a new root has no obvious place.",
		"Which CA stands under which root decides who may log in where.",
		"Say what it shall be: --topology isolated gives each domain its own root ({want}).",
	}, Message{
		"该集群的 CA 只有一部分共用根，新的根应放在何处并不明确。",
		"哪个 CA 归属哪个根，决定了谁能在哪里登录。",
		"请指明目标：--topology isolated 让每个信任域各有其根（可选：{want}）。",
	}},
	{"rotation-shared-only", Message{
		"In a shared topology one root stands over all CAs: a new one for {subject} alone would be another topology.",
		"The others would go on trusting the old root.",
		"Leave --only out, or go to a root for each: --topology isolated.",
	}, Message{
		"在共用拓扑中所有 CA 同属一个根：只为{subject}换根就成了另一种拓扑。",
		"其余 CA 仍会信任旧根。",
		"请去掉 --only，或改为各有其根：--topology isolated。",
	}},
	{"rotation-step-order", Message{
		"{subject}: the new root {root} is not in its file yet, so the old one cannot go.",
		"rotate-ca would accept it, since the file of step a holds the cross-certificate. But nobody trusts both roots yet: whoever holds the old one alone would be locked out.",
		"Do step b first, restart every node, then step c.",
	}, Message{
		"{subject}：新根 {root} 尚未写入其文件，因此旧根还不能去掉。",
		"rotate-ca 会接受它，因为步骤 a 的文件里有交叉证书；但此时还没有谁同时信任两个根，只持有旧根者会被拒之门外。",
		"请先做步骤 b，重启所有节点，再做步骤 c。",
	}},
	{"rotation-no-root", Message{
		"No CA file waits for the root that was given, or none was given.",
		"Step b puts the new root into the files; its certificate was made by step a and lies in that offline part.",
		"Give it with --inputs OFFLINE or --root FILE. If no step a was done, begin with `rootkiln rotate --new-root --step a`.",
	}, Message{
		"没有 CA 文件在等待所给的根，或没有给出根。",
		"步骤 b 把新根写入文件；新根证书由步骤 a 生成，在那次的离线部分里。",
		"请用 --inputs 离线部分 或 --root 文件 给出。若还没做过步骤 a，请从 `rootkiln rotate --new-root --step a` 开始。",
	}},
	{"rotation-no-change", Message{
		"No change of roots is under way: each CA file holds one root.",
		"Step c takes the old root out of files that hold both.",
		"Begin with `rootkiln rotate --new-root`, or with --step a where the join token shall stay for now.",
	}, Message{
		"没有进行中的换根：每个 CA 文件只含一个根。",
		"步骤 c 用于从同时含新旧两个根的文件中去掉旧根。",
		"请从 `rootkiln rotate --new-root` 开始；若加入令牌暂时不能变，则用 --step a。",
	}},
	{"rotation-root-ended", Message{
		"The old root {root} ended at {end}: what it signs is refused by everyone.",
		"rotate-ca verifies each new CA against it and would refuse every one.",
		"`rootkiln check` prints the way back. While server-ca lives, a new bundle with --force is another. Both are an outage; the second needs new files on every node and in every kubeconfig.",
	}, Message{
		"旧根 {root} 已于 {end} 到期：它签发的一切都会被拒绝。",
		"rotate-ca 用它来验证每个新 CA，因此全都会拒绝。",
		"恢复办法见 `rootkiln check` 的输出；server-ca 尚未到期时，也可另做新套件并用 --force。两者都要停机，后者还需更换每个节点和 kubeconfig 的文件。",
	}},
	{"rotation-same-name", Message{
		"{subject} would have the name of one that exists and another key: {name}.",
		"Names carry the time of issue to the second, and programs tell authorities apart by name.",
		"Wait a second, or look at --now and the clock of this machine. A root of your own needs a name of its own.",
	}, Message{
		"{subject}会与已有的某个 CA 同名而密钥不同：{name}。",
		"名称中含精确到秒的签发时间，而程序靠名称区分 CA。",
		"请等一秒再试，或检查 --now 与本机时钟。自己的根须有不同的名称。",
	}},
	{"rotation-root-unused", Message{
		"{subject} {name}, as given, would stand over none of the CAs.",
		"An existing root comes in by a change of roots, above server-ca (above all CAs in a shared topology); under an intermediate alone nothing is moved.",
		"For a change of roots add --new-root, and let --only hold server-ca. If it was given for its key: no CA file ends in it, so its certificate is not what is missing.",
	}, Message{
		"所给的{subject} {name} 不会位于任何 CA 之上。",
		"已有的根只能通过换根进入集群，位于 server-ca 之上（共用拓扑时位于所有 CA 之上）；不能只把 CA 移到另一个中间 CA 之下。",
		"要换根，请加上 --new-root，且 --only 须包含 server-ca。若给出它是为了提供私钥：没有哪个 CA 文件以它为根，所缺的不是它的证书。",
	}},
	{"rotation-distro", Message{
		"The CAs are those of {is}, not of {asked}.",
		"The distribution of a running cluster is not changed by a rotation; names, directories and ports in what is printed would be wrong.",
		"Leave --distro out. It is for CAs whose names do not tell.",
	}, Message{
		"这些 CA 属于 {is}，而不是 {asked}。",
		"轮换不会改变运行中集群的发行版；否则输出中的名称、目录和端口都会是错的。",
		"请去掉 --distro；它只用于从名称看不出发行版的 CA。",
	}},
	{"rotation-keys-dropped", Message{
		"{subject}: held more keys than that of its CA; the new file holds that one alone.",
		"The k3s project's rotation script leaves the new root's key on every server, where whoever takes it can sign any CA.",
		"Keep the old file in the safe if the root's key is not there yet, then rotate to a root whose key was never on a server.",
	}, Message{
		"{subject}：除 CA 自身之外还含有别的私钥；新文件只保留它自己的那一把。",
		"k3s 项目的轮换脚本会把新根的私钥留在每台服务器上，得到它的人可以签发任何 CA。",
		"若保险柜里还没有该根的私钥，请先收好旧文件；之后请换用私钥从未上过服务器的根。",
	}},
	{"rotation-shared-root", Message{
		"{subject} stays under the root that all CAs had in common ({root}).",
		"Whoever took the key of any CA of that time can still make a certificate that clients take for the API server.",
		"When step c is done: `rootkiln rotate OLD --only server-ca --new-root`, and step c once more.",
	}, Message{
		"{subject}仍在原先所有 CA 共用的根（{root}）之下。",
		"谁拿到过当时任何一个 CA 的私钥，谁就仍能签出会被客户端当作 API 服务器的证书。",
		"步骤 c 完成之后，请执行 `rootkiln rotate OLD --only server-ca --new-root`，然后再做一次步骤 c。",
	}},
}

// stepWords say what a step is for, in both languages.
var stepWords = phrases[StepCode]{
	{StepIssuer, Text{"look who signed what the supervisor serves: it must be the new CA before the old root goes, or joins fail", "查看 supervisor 端口上证书的签发者：去掉旧根之前必须已是新 CA，否则新节点无法加入"}},
	{StepBackup, Text{"keep what there is, the files and the datastore (the snapshot is for embedded etcd; copy an SQL database by its own means)", "先备份：证书文件与数据存储（快照用于内嵌 etcd；SQL 数据库请用其自身的方法备份）"}},
	{StepStage, Text{"unpack with the server's own time: a server whose files are newer than these ends at its next start", "以服务器自身的时间解包：若服务器上的文件比它们新，下次启动就会退出"}},
	{StepRotate, Text{"offer it and wait for \"saved to datastore\". A refusal changes nothing", "提交；等待出现“saved to datastore”。若被拒绝，则没有任何改动"}},
	{StepRestart, Text{"restart, and wait until it is ready before the next. Before March 2025 (v1.32.3), with embedded etcd and server: on every server, take server: out on the first", "重启，待其就绪后再处理下一台。2025 年 3 月（v1.32.3）之前，若使用内嵌 etcd 且每台都设有 server:，请在第一台上先去掉它"}},
	{StepSupervisor, Text{"restart with a new serving certificate for the supervisor, which otherwise keeps the old one; the last line must name the new CA, ten seconds later too, and on every server once more after the last: where it does not, do this step again there. Before March 2025 (v1.32.3), with embedded etcd and server: on every server, take server: out on the first", "重启，并换发 supervisor 的服务端证书，否则它会继续使用旧的；最后一行应显示新的 CA，十秒之后再看也应如此；最后一台重启之后，请在每台服务器上再看一次，若仍是旧的，就在那台上重做这一步。2025 年 3 月（v1.32.3）之前，若使用内嵌 etcd 且每台都设有 server:，请在第一台上先去掉它"}},
	{StepTokens, Text{"put the new token where the full old one (K10...) stands: config.yaml, unit files, automation. Nodes that start with the old one are refused; short tokens hold", "把旧的完整令牌（K10…）换成新的：config.yaml、unit 文件、自动化脚本。仍用旧令牌启动的节点会被拒绝；短令牌不受影响"}},
	{StepAgents, Text{"restart, so that their certificates come from the new CAs", "重启，使其证书改由新 CA 签发"}},
	{StepCompare, Text{"see that every server took it", "确认每台服务器都已采用"}},
	{StepKubeconfigs, Text{"hand out kubeconfigs anew: copies are never renewed, and certificates of the old client CA end here", "重新分发 kubeconfig：副本不会自动更新，旧客户端 CA 签发的证书到此失效"}},
	{StepRoots, Text{"give the new root to whoever holds the old one: trust stores, kubeconfig copies, programs outside the cluster", "把新根交给持有旧根的各方：信任库、kubeconfig 副本、集群外的程序"}},
	{StepPods, Text{"restart the workloads that talk to the API: the file in their service account changes by itself, but most read it once", "重启会访问 API 的工作负载：其服务账户中的文件会自动更新，但多数程序只读一次"}},
	{StepConfigMap, Text{"after the last restart, take the old certificates out; Kubernetes only ever adds to this ConfigMap", "全部重启之后，从中删去旧证书：Kubernetes 只会往这个 ConfigMap 里添加"}},
	{StepClean, Text{"remove the staged files, the keys of all CAs lie there (and later, when all is well, tls.before-* on each server)", "删除暂存的文件，其中有所有 CA 的私钥（确认一切正常之后，也请删除每台服务器上的 tls.before-*）"}},
	{StepNext, Text{"later, when every node has restarted and everyone holds the new root", "之后，待所有节点都已重启、各方都持有新根时"}},
}

var whereWords = phrases[Where]{
	{OneServer, Text{"On one server", "在一台服务器上"}},
	{EachServer, Text{"On each server in turn", "依次在每台服务器上"}},
	{EachAgent, Text{"On each agent", "在每个 agent 上"}},
	{Workstation, Text{"At your desk", "在自己的机器上"}},
}

// ExplainStep says in a language what a step is for and where it is done, in the
// words of a distribution.
func ExplainStep(s Step, lang Lang, distro pki.Distro) (what, where string) {
	step, _ := stepWords.of(s.Code)
	place, _ := whereWords.of(s.Where)
	what = step.In(lang)
	if distro == pki.RKE2 {
		what = strings.ReplaceAll(what, string(pki.K3s), string(pki.RKE2))
	}
	return what, place.In(lang)
}
