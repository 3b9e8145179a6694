package main

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"rootkiln/pki"
	"rootkiln/pki/report"
)

// version is set by the Makefile; a build without it says so.
var version = "0.1.0-dev"

func (a *app) versionCommand() *cobra.Command {
	var form string
	c := a.newCommand(versionAbout, cobra.NoArgs, func(*cobra.Command, []string) error {
		if err := checkForm(form, "table", "json", "yaml"); err != nil {
			return err
		}
		if form != "table" {
			return writeData(a.out, form, map[string]string{
				"version": version, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
			})
		}
		_, err := fmt.Fprintf(a.out, "rootkiln %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	})
	choiceFlagShort(c.Flags(), &form, "output", "o", "table|json|yaml", "table", a.t(flagReportForm))
	return c
}

// helpCommand explains a command, or the exit codes.
func (a *app) helpCommand() *cobra.Command {
	return a.newCommand(helpAbout, cobra.MaximumNArgs(1), func(c *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return c.Root().Help()
		case args[0] == "exit-codes":
			drawTable(a.out, "", exitCodeRows(a.lang))
			return nil
		}
		for _, sub := range c.Root().Commands() {
			if sub.Name() == args[0] {
				return sub.Help()
			}
		}
		return usage(msgCommand, args[0], c.Root().CommandPath())
	})
}

func exitCodeRows(lang report.Lang) [][]string {
	var rows [][]string
	for _, e := range exitCodes {
		rows = append(rows, []string{fmt.Sprint(e.code), e.meaning.in(lang)})
	}
	return rows
}

func (a *app) completionCommand() *cobra.Command {
	c := a.newCommand(completionAbout, cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		root := c.Root()
		switch args[0] {
		case "bash":
			return root.GenBashCompletionV2(a.out, true)
		case "zsh":
			return root.GenZshCompletion(a.out)
		case "fish":
			return root.GenFishCompletion(a.out, true)
		case "powershell":
			return root.GenPowerShellCompletionWithDesc(a.out)
		}
		return usage(msgBadChoice, "completion", args[0], "bash, zsh, fish, powershell")
	})
	c.ValidArgs = []string{"bash", "zsh", "fish", "powershell"}
	return c
}

// manCommand writes man pages into a new directory. The library would date them
// with the clock; these are the same whenever they are made.
func (a *app) manCommand() *cobra.Command {
	return a.newCommand(manAbout, cobra.ExactArgs(1), func(c *cobra.Command, args []string) error {
		pages := pki.Bundle{Time: a.time(pki.Time{}).Time}
		for _, command := range withAllBelow(c.Root()) {
			command.DisableAutoGenTag = true
			name := strings.ReplaceAll(command.CommandPath(), " ", "-")
			header := &doc.GenManHeader{
				Title: strings.ToUpper(name), Section: "1", Source: "rootkiln " + version, Manual: "rootkiln", Date: &manDate,
			}
			var page bytes.Buffer
			if err := doc.GenMan(command, header, &page); err != nil {
				return err
			}
			pages.Add(name+".1", pki.KindPublic, page.Bytes())
		}
		d := delivery{outputs: []*output{newOutput(args[0], pages)}, stdout: a.out}
		if err := d.precheck(); err != nil {
			return err
		}
		if err := d.commit(c.Context()); err != nil {
			return err
		}
		a.say(msgManDone, args[0])
		return nil
	})
}

// withAllBelow is a command with those below it, the upper ones first.
func withAllBelow(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		all = append(all, withAllBelow(sub)...)
	}
	return all
}

// manDate stands in the pages in the place of the day they were made.
var manDate = time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
