package report

// ExplainRemedy says in a language what the commands of a remedy do; the node goes
// by a name of the caller. Empty where the code is from a newer version.
func ExplainRemedy(r Remedy, node string, lang Lang) string {
	sentence, known := remedyWords.of(r.Code)
	if !known {
		return ""
	}
	return sentence.With(lang, node, len(r.For))
}

// remedyWords say what the commands of a remedy do: node, number of certificates
// or files.
var remedyWords = phrases[RemedyCode]{
	{RemedyRestart, Text{"On %s, a restart renews what needs it (%d):", "在 %s 上，重启即可续期所需的证书（%d 张）："}},
	{RemedyRotateLeaves, Text{"On %s, some certificates (%d) may be too young for a plain restart; this renews them now:", "在 %s 上，%d 张证书离到期尚早，单纯重启未必续期；以下命令立即续期："}},
	{RemedyServing, Text{"On %s, the supervisor's certificate (%d) lies in a Secret and in a file; both must go, the issuer is shown at the end:", "在 %s 上，supervisor 的证书（%d 张）同时存于 Secret 和文件中，两处都须删除；最后一条命令显示新的签发者："}},
	{RemedyServingFile, Text{"On %s, dynamic-cert.json (%d) cannot be read; without it the server starts and takes the certificate from its Secret, or makes a new one:", "%s 上的 dynamic-cert.json（%d 个）无法读取；删除后服务器即可启动，并从 Secret 取得证书或重新签发："}},
	{RemedyKubeconfigUser, Text{"Certificates in kubeconfigs of other users (%[2]d, in %[1]s) are never renewed: whoever issued them has to issue them again.", "其他用户 kubeconfig 中的证书（%[2]d 张，位于 %[1]s）不会自动更新：请由原签发者重新签发。"}},
	{RemedyKubeconfig, Text{"Copies of an admin kubeconfig (%[2]d) are never renewed. Take what lies in %[1]s to a server, after its restart, and put today's credentials in; the address and all else in them stays:", "管理员 kubeconfig 的副本（%[2]d 份）不会自动更新。请在服务器重启后，把 %[1]s 中的副本带到服务器上，写入现有的凭据；其中的地址等内容不变："}},
	{RemedyRotateCA, Text{"On %s, CA certificates (%d) come to their end. Rotate while they live, on the machine where their keys are kept (OFFLINE: the offline part), with a copy of the server's tls folder; it prints what to do on the servers:", "%s 上有 CA 证书（%d 张）即将到期。请趁仍有效时，在保管其私钥的机器上（OFFLINE 为离线部分），用该服务器 tls 目录的副本轮换；输出中有各服务器上的后续步骤："}},
	{RemedyReplaceCA, Text{"On %s, CAs have ended (%d). No restart helps. If server-ca is among them, rotate-ca does not reach the server any more, with or without --force (k3s issue 12910): its own certificate is refused. If not, rotate-ca still refuses each new CA whose old root has ended. What is left is an outage. Keep a copy of the datastore, put the clocks of all servers back to where the CAs live, and rotate there: the last line is for the machine where their keys are kept (OFFLINE: the offline part; tls: a copy of that folder) and prints the rest. Then `timedatectl set-ntp true` and a restart on every node. Try it on a copy first:", "%s 上有 CA 已过期（%d 个）。重启无济于事。若其中有 server-ca，则无论是否加 --force，rotate-ca 都已连不上该服务器（k3s issue 12910）：它自己的证书会被拒绝；若没有，旧根已过期的新 CA 仍会被 rotate-ca 拒绝。只能安排停机：先备份数据存储，把所有服务器的时钟调回 CA 有效之时，再行轮换：最后一行在保管私钥的机器上执行（OFFLINE 为离线部分，tls 为该目录的副本），输出中有后续步骤。之后在每个节点上执行 `timedatectl set-ntp true` 并重启。请先在副本上演练："}},
	{RemedyKubeadmRenew, Text{"On %s, kubeadm renews what needs it (%d); the static pods read them only when they start:", "在 %s 上，由 kubeadm 续期 %d 张证书；静态 Pod 只在启动时读取它们："}},
	{RemedyKubeadmCSR, Text{"On %s, the CA's key is elsewhere, and `kubeadm certs renew` passes over these certificates (%d) without an error. At the lines with #, have the request signed there, with the usages of the present certificate, and put the answer beside it. kubeadm.yaml has the cluster's own settings; if admin.conf has ended, take them from where the cluster was made:", "%s 上没有 CA 的私钥，`kubeadm certs renew` 会跳过这 %d 张证书且不报错。到以 # 开头的行时，请在保管私钥处按现有证书的用途签发该请求，并把证书放在请求旁边。kubeadm.yaml 是集群自身的配置；若 admin.conf 已过期，请使用建立集群时的那一份："}},
	{RemedyKubeadmKubelet, Text{"On %s, the kubelet's certificate (%d) was not renewed by itself. The first two lines are for a control plane node that has ca.key; take kubelet.conf.new over, the rest is for the node itself:", "%s 上 kubelet 的证书（%d 张）没有自动续期。前两行在有 ca.key 的控制平面节点上执行；再把 kubelet.conf.new 拷过来，其余各行在该节点上执行："}},
	{RemedyKubeadmCA, Text{"On %s, CA certificates (%d) have ended or soon will. kubeadm has no command for that, and what it renews under a CA that has ended is refused: plan a manual CA rotation.", "%s 上有 CA 证书（%d 张）已经或即将到期。kubeadm 没有相应的命令，在过期 CA 之下续期的证书也会被拒绝：请安排手动轮换 CA。"}},
	{RemedyUnbootstrap, Text{"On %s, start once without server: so that its files (%d) come from the datastore (also take --server or K3S_URL out of the unit, if it stands there):", "在 %s 上，去掉 server: 启动一次，使 %d 个文件取自数据存储（若单元文件中有 --server 或 K3S_URL，也须去掉）："}},
	{RemedyRestore, Text{"On %s, files (%d) must be removed before the start; they come back from the datastore:", "在 %s 上，启动前须删除 %d 个文件；它们会从数据存储中恢复："}},
}
