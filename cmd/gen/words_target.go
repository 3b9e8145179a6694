package main

// targetWords say why a place cannot be written: the place, then the other path
// that the reason names.
var targetWords = map[targetKind]text{
	targetExists:     {"%[1]s exists and is not replaced; choose another place with --out and --offline-out, look at it with `rootkiln inspect %[1]s`, or replace it with --force", "%[1]s 已存在，不会被替换；请用 --out 和 --offline-out 另选位置，用 `rootkiln inspect %[1]s` 查看它，或用 --force 替换"},
	targetSymlink:    {"%s is a symbolic link; keys are not written through links", "%s 是符号链接；私钥不会通过链接写入"},
	targetInput:      {"%s would replace the input %s; inputs are never changed", "%s 会替换输入文件 %s；输入文件永不改动"},
	targetInside:     {"%s exists and lies inside the input %s; inputs are never changed, so choose a place outside it", "%s 已存在，且位于输入目录 %s 之内；输入永不改动，请在其外另选位置"},
	targetOtherForm:  {"%s is not what would replace it (a directory for a file, or the reverse); choose another place", "%s 与将要写入的形式不同（目录与文件之别）；请另选位置"},
	targetForeign:    {"%s also holds %s, which the new bundle does not have; --force would delete it", "%s 中还有 %s，新的套件里没有它；--force 会把它删除"},
	targetNested:     {"%s and %s overlap; the two parts need places of their own", "%s 与 %s 相互重叠；两部分需要各自的位置"},
	targetNoParent:   {"there is no directory %s; make it first", "目录 %s 不存在；请先创建"},
	targetDenied:     {"%s: permission denied", "%s：权限不足"},
	targetReadOnly:   {"%s is on a read-only file system", "%s 位于只读文件系统上"},
	targetNoSpace:    {"no space left for %s; nothing was written", "%s 所在的文件系统空间不足；未写入任何文件"},
	targetNoModes:    {"the file system of %s cannot keep a private key private (FAT?); write there with --encrypt-to or --passphrase, or choose another place", "%s 所在的文件系统无法保护私钥（FAT？）；请配合 --encrypt-to 或 --passphrase 写入，或另选位置"},
	targetTerminal:   {"standard output is a terminal; redirect it or name a file with --out", "标准输出是终端；请重定向，或用 --out 指定文件"},
	targetSealedTree: {"%s is a directory, and only an archive can be encrypted; end the name in .tar.gz", "%s 是目录，只有归档才能加密；请让名称以 .tar.gz 结尾"},
	targetUnsealed:   {"%s is named .age but nobody was named to encrypt to; add --encrypt-to or --passphrase", "%s 以 .age 结尾，却没有指定加密对象；请加上 --encrypt-to 或 --passphrase"},
	targetLeft:       {"%s could not be removed or put back; it may hold keys", "%s 未能删除或还原；其中可能含有私钥"},
}

func (a *app) targetMessage(e *targetError) string {
	m, ok := targetWords[e.kind]
	if !ok {
		return e.Error()
	}
	args := []any{e.path, e.other}
	return a.t(m, args[:countVerbs(m.en)]...) // a message may name no path, one or both
}

// countVerbs counts the arguments of a message.
func countVerbs(format string) int {
	n, indexed := 0, 0
	for i := 0; i+1 < len(format); i++ {
		switch {
		case format[i] != '%' || format[i+1] == '%':
		case format[i+1] == '[':
			indexed = max(indexed, int(format[i+2]-'0'))
		default:
			n++
		}
	}
	return max(n, indexed)
}
