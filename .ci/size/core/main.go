// Command core links what the page's engine will link, so that its size can be
// measured: the whole core and the reports in both languages. The page adds its own
// glue and age, about 45 kB, and has to fit them under the same budget.
package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"rootkiln/pki"
	"rootkiln/pki/k3s"
	"rootkiln/pki/report"
)

func main() {
	fmt.Println(everything(context.Background()))
}

func everything(ctx context.Context) error {
	plan, err := pki.ParsePlan([]byte(`{"apiVersion":"rootkiln/v1","kind":"Plan"}`))
	if err != nil {
		return err
	}
	plan.Time = pki.At(time.Now())
	layout, err := k3s.Layout(plan)
	if err != nil {
		return err
	}
	resolved, found, err := pki.Resolve(plan, layout, pki.Given{})
	if err != nil {
		return err
	}
	run := pki.Run{Plan: resolved, Layout: layout, Keys: pki.Random{}}
	issued, err := run.Issue(ctx)
	if err != nil {
		return err
	}
	if _, err := run.Request(ctx, plan); err != nil {
		fmt.Println(err)
	}
	var archive bytes.Buffer
	if err := pki.WriteTarGz(&archive, issued.Server); err != nil {
		return err
	}
	bundle, err := pki.ReadArchive(&archive, pki.DefaultLimits)
	if err != nil {
		fmt.Println(err)
	}
	verified, err := report.Verify(ctx, bundle, plan.Time, pki.Random{})
	if err != nil {
		return err
	}
	against, err := report.VerifyAgainst(ctx, bundle, issued.Server, plan.Time, pki.Random{})
	if err != nil {
		return err
	}
	fmt.Println(against, report.CheckExpiry(bundle, report.ExpiryOptions{At: plan.Time}))
	fmt.Println(report.Compare([]report.NodeFiles{{Bundle: bundle}}, nil, plan.Time))
	fmt.Println(report.Inspect(bundle, plan.Time), verified)
	for _, f := range found {
		fmt.Println(report.Explain(f, report.Chinese))
	}
	token, err := k3s.ComputeToken(issued.Server.File(k3s.ServerCAPath+".crt").Data, plan.Time.Time)
	fmt.Println(token)
	return err
}
