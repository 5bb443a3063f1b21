package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), theProcess(), os.Args[1:]))
}

// run is the whole program but for os.Exit: tests call it with surroundings of their own.
func run(ctx context.Context, s *surroundings, args []string) int {
	root := newRoot(s)
	root.SetArgs(args)
	called, err := root.ExecuteContextC(ctx)
	return s.report(called, err)
}
