package config

import "gantry/negotiate"

// These stand in until negotiate has the kinds.

type connectSettings struct{}

func (*connectSettings) Validate(func(key, got, want string)) {}

func (*connectSettings) Prober(negotiate.Target) (negotiate.Prober, error) { return nil, nil }

type dicomEchoSettings struct {
	CalledAE  string `yaml:"called_ae" default:"ANY-SCP" min:"1" max:"16" doc:"AE title asked for."`
	CallingAE string `yaml:"calling_ae" default:"GANTRY" min:"1" max:"16" doc:"AE title the check gives itself."`
}

func (*dicomEchoSettings) Validate(func(key, got, want string)) {}

func (*dicomEchoSettings) Prober(negotiate.Target) (negotiate.Prober, error) { return nil, nil }

type httpSettings struct {
	Scheme       string `yaml:"scheme" default:"http" enum:"http,https" doc:"http or https."`
	Path         string `yaml:"path" default:"/" doc:"Path to ask for."`
	ExpectStatus []int  `yaml:"expect_status" doc:"Accepted answers."`
	ExpectBody   string `yaml:"expect_body" doc:"Text in the answer."`
}

func (*httpSettings) Validate(func(key, got, want string)) {}

func (s *httpSettings) Secure() bool { return s.Scheme == "https" }

func (*httpSettings) Prober(negotiate.Target) (negotiate.Prober, error) { return nil, nil }
