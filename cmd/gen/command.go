package main

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"rootkiln/pki"
)

// about is the text of a command's help. Examples come first in the help, and a
// test runs each of them.
type about struct {
	use     string
	short   text
	long    text
	example string
}

// newCommand makes a cobra command in the language of the run.
func (a *app) newCommand(d about, args cobra.PositionalArgs, action func(*cobra.Command, []string) error) *cobra.Command {
	return &cobra.Command{
		Use: d.use, Short: d.short.in(a.lang), Long: d.long.in(a.lang), Example: strings.TrimSpace(d.example),
		Args: checked(args), RunE: action, DisableFlagsInUseLine: true, SilenceUsage: true, SilenceErrors: true,
	}
}

// checked makes a wrong number of arguments, or a command that does not exist,
// the wrong usage that it is: the library's own errors would end with 1, in
// English.
func checked(args cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, given []string) error {
		if err := refuseContent(given...); err != nil {
			return err
		}
		switch {
		case args(c, given) == nil:
			return nil
		case !c.HasSubCommands():
			return usage(msgArguments, len(given), call(c), c.CommandPath())
		}
		c.SuggestionsMinimumDistance = 2 // the library sets it only on a way not taken here
		if near := c.SuggestionsFor(given[0]); len(near) > 0 {
			return usage(msgCommandNear, given[0], c.CommandPath()+" "+near[0], c.CommandPath())
		}
		return usage(msgCommand, given[0], c.CommandPath())
	}
}

// call is how a command is called.
func call(c *cobra.Command) string {
	line := c.CommandPath()
	if c.HasAvailableSubCommands() {
		line += " COMMAND"
	}
	line += " [FLAGS]"
	if _, args, ok := strings.Cut(c.Use, " "); ok {
		line += " " + args
	}
	return line
}

// command is the whole command line.
func (a *app) command() *cobra.Command {
	root := a.newCommand(rootAbout, cobra.NoArgs, nil)
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(a.helpCommand())
	root.SetHelpFunc(a.help)
	root.SetUsageFunc(func(c *cobra.Command) error { a.usage(c.OutOrStderr(), c); return nil })
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if refused := refuseContent(err.Error()); refused != nil { // PEM begins with dashes, as a flag does
			return refused
		}
		return usage(msgFlagError, err.Error(), c.CommandPath())
	})
	f := root.PersistentFlags()
	f.String("lang", "", a.t(flagLang))
	f.StringVar(&a.color, "color", "auto", a.t(flagColor))
	f.BoolVarP(&a.quiet, "quiet", "q", false, a.t(flagQuiet))
	f.BoolVarP(&a.verbose, "verbose", "v", false, a.t(flagVerbose))
	f.Var(&timeFlag{&a.now}, "now", a.t(flagNow))
	f.BoolP("help", "h", false, a.t(flagHelp))

	for _, c := range []func() *cobra.Command{
		a.bundleCommand, a.planCommand, a.rootCommand, a.intermediateCommand, a.requestCommand, a.signCommand, a.rotateCommand,
		a.inspectCommand, a.verifyCommand, a.checkCommand, a.compareCommand, a.tokenCommand, a.exportCommand,
		a.bootstrapCommand, a.adminCommand, a.serveCommand,
		a.versionCommand, a.completionCommand, a.manCommand,
	} {
		root.AddCommand(c())
	}
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		if err := refuseContent(flagContents(c)...); err != nil {
			return err
		}
		if name := emptyFlag(c); name != "" {
			return usage(msgEmptyFlag, "--"+name)
		}
		if lang := c.Flag("lang").Value.String(); lang != "" && lang != "en" && lang != "zh" {
			return usage(msgBadChoice, "--lang", lang, "en, zh")
		}
		if a.color != "auto" && a.color != "always" && a.color != "never" {
			return usage(msgBadChoice, "--color", a.color, "auto, always, never")
		}
		return nil
	}
	return root
}

// emptyFlag returns a flag that was given without a value. It is a shell variable
// that is not set, and to take it for "not given" would make something else
// than was meant: keys that are not encrypted, a new root.
func emptyFlag(c *cobra.Command) (name string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if strings.Trim(f.Value.String(), `[]"`) == "" {
			name = f.Name
		}
	})
	return name
}

// help prints what a command does, then its usage. Plain code and not cobra's
// templates: text/template keeps the linker from dropping unused methods, which
// makes the program a quarter larger.
func (a *app) help(c *cobra.Command, _ []string) {
	fmt.Fprintf(c.OutOrStdout(), "%s\n\n", c.Long)
	a.usage(c.OutOrStdout(), c)
}

// usage prints the examples first, then how to call the command.
func (a *app) usage(w io.Writer, c *cobra.Command) {
	section := func(heading text, body string) {
		fmt.Fprintf(w, "%s\n%s\n\n", heading.in(a.lang), strings.TrimRight(body, "\n "))
	}
	if c.Example != "" {
		section(headExamples, "  "+c.Example)
	}
	section(headUsage, "  "+call(c))
	if c.HasAvailableSubCommands() {
		var list strings.Builder
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(&list, "  %s%s\n", pad(sub.Name(), 14), sub.Short)
			}
		}
		section(headCommands, list.String())
	}
	if c.HasParent() {
		section(headFlags, a.flagUsages(c.LocalFlags()))
		section(headGlobal, a.flagUsages(c.InheritedFlags()))
		return
	}
	section(headGlobal, a.flagUsages(c.PersistentFlags()))
	fmt.Fprintln(w, headMore.in(a.lang))
}

// flagDefault is what the library writes behind the usage of a flag, in English.
var flagDefault = regexp.MustCompile(`(?m) \(default "?([^"()]*)"?\)$`)

// flagUsages lists flags with their defaults in the language of the run.
func (a *app) flagUsages(f *pflag.FlagSet) string {
	return flagDefault.ReplaceAllString(f.FlagUsages(), flagDefaultForm.in(a.lang))
}

// timeFlag reads RFC 3339 or a date.
type timeFlag struct{ at *pki.Time }

func (f *timeFlag) String() string {
	if f.at == nil || f.at.IsZero() {
		return ""
	}
	return f.at.String()
}

func (f *timeFlag) Set(s string) (err error) {
	if *f.at, err = pki.ParseTime(s); err != nil {
		return &usageError{s + ": RFC 3339, YYYY-MM-DD"}
	}
	return nil
}

func (*timeFlag) Type() string { return "TIME" }

// choiceFlag is a string flag with a type name of its own in the help.
func choiceFlag(f *pflag.FlagSet, p *string, name, kind, value, usage string) {
	f.Var(&namedString{p, kind}, name, usage)
	*p = value
}

type namedString struct {
	value *string
	kind  string
}

func (s *namedString) String() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}
func (s *namedString) Set(v string) error { *s.value = v; return nil }
func (s *namedString) Type() string       { return s.kind }

// choiceFlagShort is choiceFlag with a one-letter form.
func choiceFlagShort(f *pflag.FlagSet, p *string, name, short, kind, value, usage string) {
	*p = value
	f.VarP(&namedString{p, kind}, name, short, usage)
}
