package main

import "rootkiln/pki/report"

var checkAbout = about{
	use:   "check PATH…",
	short: text{"expiry report: what ends when, what a restart renews, what to do", "到期报告：何时到期、重启会续期什么、该怎么做"},
	long: text{
		"Reports every certificate of k3s, RKE2 and kubeadm nodes: CA files, leaves and the\nchains behind them, dynamic-cert.json, kubeconfigs, leftovers. A PATH is a data\ndirectory (such as /var/lib/rancher/k3s or /etc/kubernetes), a copy, an archive or a\nsingle file. --at answers for any date: what is expired then, what a restart on that\nday renews, what stays broken, and the commands that mend it.\n\nEnds with 3 when something in use has expired, cannot be read, or ends within\n--within. -o openmetrics is for a textfile collector, -o ics for a calendar.",
		"报告 k3s、RKE2 和 kubeadm 节点上的每一张证书：CA 文件、叶子证书及其后的证书链、\ndynamic-cert.json、kubeconfig 和遗留文件。PATH 可以是数据目录（如 /var/lib/rancher/k3s\n或 /etc/kubernetes）、其副本、归档或单个文件。--at 可针对任意日期作答：届时哪些已过期，\n当天重启会续期哪些，哪些仍然无法使用，以及修复所需的命令。\n\n在用的证书已过期、无法读取或将在 --within 之内到期时，退出码为 3。\n-o openmetrics 供 textfile collector 使用，-o ics 供日历使用。"},
	example: `
  rootkiln check tls --within 30d
  rootkiln check tls tls.tar.gz -o wide
  rootkiln check tls -o json
  rootkiln check tls -o openmetrics > rootkiln.prom.new && mv rootkiln.prom.new rootkiln.prom
  rootkiln check tls -o ics > certificates.ics`,
}

var (
	flagWithin = text{"window before an end: 120d, 1y", "到期之前的预警时间：120d、1y"}

	headFilename  = text{"FILENAME", "文件名"}
	headSubject   = text{"SUBJECT", "主体"}
	headUsages    = text{"USAGES", "用途"}
	headExpires   = text{"EXPIRES", "到期时间"}
	headResidual  = text{"RESIDUAL TIME", "剩余时间"}
	headStatus    = text{"STATUS", "状态"}
	headAuthority = text{"CERTIFICATE AUTHORITY", "签发 CA"}
	headRestart   = text{"RESTART", "重启后"}
	headKind      = text{"KIND", "类别"}
	headNode      = text{"NODE", "节点"}

	msgCheckNothing = text{"%s holds no certificate", "%s 中没有证书"}
	msgCheckQuiet   = text{"quiet at %s: %d expired or not yet valid, %d ending within %dd, %d fine", "%s 时无需处理：%d 张已过期或尚未生效，%d 张将在 %d 天内到期，%d 张正常"}
	msgCheckAlarm   = text{"attention at %s: %d expired or not yet valid, %d ending within %dd, %d fine", "%s 时需要处理：%d 张已过期或尚未生效，%d 张将在 %d 天内到期，%d 张正常"}
	msgCheckNext    = text{"next: rootkiln check %s -o ics > certificates.ics puts the ends into a calendar", "下一步：rootkiln check %s -o ics > certificates.ics 把到期日放入日历"}
	msgCalendarEnd  = text{"%d certificates end: %s", "%d 张证书到期：%s"}
)

// restartWords say what a restart does to a certificate.
var restartWords = map[report.Restart]text{
	report.RestartRenews:    {"renews", "会续期"},
	report.RestartRenewsNow: {"renews since May 2025", "2025 年 5 月起会续期"},
	report.RestartKeeps:     {"keeps", "保持不变"},
	report.RestartUncertain: {"uncertain", "不确定"},
	report.RestartStays:     {"stays broken", "仍然无法使用"},
	report.RestartNever:     {"never renews", "不会续期"},
}

// remedyWords say what the commands of a remedy do: node, number of certificates
// or files.
var remedyWords = map[report.RemedyCode]text{
	report.RemedyRestart:        {"On %s, a restart renews what needs it (%d):", "在 %s 上，重启即可续期所需的证书（%d 张）："},
	report.RemedyRotateLeaves:   {"On %s, some certificates (%d) may be too young for a plain restart; this renews them now:", "在 %s 上，%d 张证书离到期尚早，单纯重启未必续期；以下命令立即续期："},
	report.RemedyServing:        {"On %s, the supervisor's certificate (%d) lies in a Secret and in a file; both must go, the issuer is shown at the end:", "在 %s 上，supervisor 的证书（%d 张）同时存于 Secret 和文件中，两处都须删除；最后一条命令显示新的签发者："},
	report.RemedyServingFile:    {"On %s, dynamic-cert.json (%d) cannot be read; without it the server starts and takes the certificate from its Secret, or makes a new one:", "%s 上的 dynamic-cert.json（%d 个）无法读取；删除后服务器即可启动，并从 Secret 取得证书或重新签发："},
	report.RemedyKubeconfigUser: {"Certificates in kubeconfigs of other users (%[2]d, in %[1]s) are never renewed: whoever issued them has to issue them again.", "其他用户 kubeconfig 中的证书（%[2]d 张，位于 %[1]s）不会自动更新：请由原签发者重新签发。"},
	report.RemedyKubeconfig:     {"Copies of an admin kubeconfig (%[2]d) are never renewed. Take what lies in %[1]s to a server, after its restart, and put today's credentials in; the address and all else in them stays:", "管理员 kubeconfig 的副本（%[2]d 份）不会自动更新。请在服务器重启后，把 %[1]s 中的副本带到服务器上，写入现有的凭据；其中的地址等内容不变："},
	report.RemedyRotateCA:       {"On %s, CA certificates (%d) come to their end. Rotate while they live, on the machine where their keys are kept (OFFLINE: the offline part), with a copy of the server's tls folder; it prints what to do on the servers:", "%s 上有 CA 证书（%d 张）即将到期。请趁仍有效时，在保管其私钥的机器上（OFFLINE 为离线部分），用该服务器 tls 目录的副本轮换；输出中有各服务器上的后续步骤："},
	report.RemedyReplaceCA:      {"On %s, CAs have ended (%d). No restart helps. If server-ca is among them, rotate-ca does not reach the server any more, with or without --force (k3s issue 12910): its own certificate is refused. If not, rotate-ca still refuses each new CA whose old root has ended. What is left is an outage. Keep a copy of the datastore, put the clocks of all servers back to where the CAs live, and rotate there: the last line is for the machine where their keys are kept (OFFLINE: the offline part; tls: a copy of that folder) and prints the rest. Then `timedatectl set-ntp true` and a restart on every node. Try it on a copy first:", "%s 上有 CA 已过期（%d 个）。重启无济于事。若其中有 server-ca，则无论是否加 --force，rotate-ca 都已连不上该服务器（k3s issue 12910）：它自己的证书会被拒绝；若没有，旧根已过期的新 CA 仍会被 rotate-ca 拒绝。只能安排停机：先备份数据存储，把所有服务器的时钟调回 CA 有效之时，再行轮换：最后一行在保管私钥的机器上执行（OFFLINE 为离线部分，tls 为该目录的副本），输出中有后续步骤。之后在每个节点上执行 `timedatectl set-ntp true` 并重启。请先在副本上演练："},
	report.RemedyKubeadmRenew:   {"On %s, kubeadm renews what needs it (%d); the static pods read them only when they start:", "在 %s 上，由 kubeadm 续期 %d 张证书；静态 Pod 只在启动时读取它们："},
	report.RemedyKubeadmCSR:     {"On %s, the CA's key is elsewhere, and `kubeadm certs renew` passes over these certificates (%d) without an error. At the lines with #, have the request signed there, with the usages of the present certificate, and put the answer beside it. kubeadm.yaml has the cluster's own settings; if admin.conf has ended, take them from where the cluster was made:", "%s 上没有 CA 的私钥，`kubeadm certs renew` 会跳过这 %d 张证书且不报错。到以 # 开头的行时，请在保管私钥处按现有证书的用途签发该请求，并把证书放在请求旁边。kubeadm.yaml 是集群自身的配置；若 admin.conf 已过期，请使用建立集群时的那一份："},
	report.RemedyKubeadmKubelet: {"On %s, the kubelet's certificate (%d) was not renewed by itself. The first two lines are for a control plane node that has ca.key; take kubelet.conf.new over, the rest is for the node itself:", "%s 上 kubelet 的证书（%d 张）没有自动续期。前两行在有 ca.key 的控制平面节点上执行；再把 kubelet.conf.new 拷过来，其余各行在该节点上执行："},
	report.RemedyKubeadmCA:      {"On %s, CA certificates (%d) have ended or soon will. kubeadm has no command for that, and what it renews under a CA that has ended is refused: plan a manual CA rotation.", "%s 上有 CA 证书（%d 张）已经或即将到期。kubeadm 没有相应的命令，在过期 CA 之下续期的证书也会被拒绝：请安排手动轮换 CA。"},
	report.RemedyUnbootstrap:    {"On %s, start once without server: so that its files (%d) come from the datastore (also take --server or K3S_URL out of the unit, if it stands there):", "在 %s 上，去掉 server: 启动一次，使 %d 个文件取自数据存储（若单元文件中有 --server 或 K3S_URL，也须去掉）："},
	report.RemedyRestore:        {"On %s, files (%d) must be removed before the start; they come back from the datastore:", "在 %s 上，启动前须删除 %d 个文件；它们会从数据存储中恢复："},
}
