package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	httpcheck "gantry/negotiate/http"
)

func TestNewCheck(t *testing.T) {
	c, problems := NewCheck("http", map[string][]string{
		"scheme": {"https"}, "path": {"/login"}, "expect_status": {"200", "204"}, "expect_body": {"200"}, "follow_redirects": {"true"},
		"headers": {"X-A=1", "X-B=a=b"}, "timeout": {"20s"}, "max_latency": {"1s"}, "tls.server_name": {"viewer.example"}, "tls.verify": {"false"},
	}, testEnv)
	require.Empty(t, problems)
	require.Equal(t, &httpcheck.Settings{Scheme: "https", Path: "/login", Method: "GET", ExpectStatus: []int{200, 204}, ExpectBody: "200",
		FollowRedirects: true, Headers: map[string]string{"X-A": "1", "X-B": "a=b"}}, c.Settings)
	require.Equal(t, []any{"http", 20 * time.Second, time.Second}, []any{c.Name, c.Timeout, c.MaxLatency})
	require.Equal(t, []any{"viewer.example", false, true, "1.2"}, []any{c.TLS.ServerName, c.TLS.Verify, c.TLS.VerifyHost, c.TLS.MinVersion})
}

func TestNewCheckDefaults(t *testing.T) {
	c, problems := NewCheck("connect", nil, testEnv)
	require.Empty(t, problems)
	require.Nil(t, c.TLS)
	require.Equal(t, 5*time.Second, c.Timeout)
	c, problems = NewCheck("connect", map[string][]string{"tls": nil}, testEnv)
	require.Empty(t, problems)
	require.True(t, c.TLS.Verify)
	c, problems = NewCheck("connect", map[string][]string{"tls": nil, "tls.verify": {"false"}}, testEnv)
	require.Empty(t, problems)
	require.False(t, c.TLS.Verify)
}

// TestNewCheckProblems: the words of the file, with the key as the path.
func TestNewCheckProblems(t *testing.T) {
	for name, tt := range map[string]struct {
		kind, key string
		values    []string
		want      string
	}{
		"word":         {"http", "method", []string{"POST"}, `: method: not an accepted word (got "POST"); accepted: GET, HEAD`},
		"number":       {"http", "expect_status", []string{"ok"}, `: expect_status[0]: wrong type (got "ok"); write a whole number`},
		"by the kind":  {"http", "path", []string{"login"}, `: path: not usable (got "login")`},
		"duration":     {"http", "timeout", []string{"5"}, `: timeout: unit is missing (got "5"); write 5s for seconds`},
		"latency":      {"http", "max_latency", []string{"5s"}, `: max_latency: not below timeout`},
		"tls":          {"http", "tls.ca_file", []string{"/nowhere"}, `: tls.ca_file: cannot read the file: no such file or directory`},
		"bool":         {"http", "follow_redirects", []string{"perhaps"}, `: follow_redirects: wrong type (got "perhaps"); write true or false`},
		"unknown":      {"http", "called_ae", []string{"X"}, `: called_ae: unknown key`},
		"header":       {"http", "headers", []string{"Host=x"}, `: headers.Host: not usable`},
		"header twice": {"http", "headers", []string{"A=1", "A=2"}, `: headers.A: key is given twice`},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := NewCheck(tt.kind, map[string][]string{tt.key: tt.values}, testEnv)
			require.Len(t, problems, 1)
			require.Contains(t, problems[0].String(), tt.want)
		})
	}
}

// TestCheckKeys: every key of every kind is described, and can be given by itself with its own default or first word.
func TestCheckKeys(t *testing.T) {
	for _, kind := range Kinds() {
		require.NotEmpty(t, KindDoc(kind))
		_, v := newSettings(kind)
		keys := KindKeys(kind)
		require.GreaterOrEqual(t, len(keys), len(fieldsOf(v.Type())))
		for _, k := range append(keys, CommonKeys()...) {
			t.Run(kind+"/"+k.Key, func(t *testing.T) {
				require.NotEmpty(t, k.Doc)
				require.NotEmpty(t, k.Value)
				if k.Default == "" {
					return
				}
				if strings.HasPrefix(k.Key, "tls.") {
					return // turns TLS on
				}
				with, problems := NewCheck(kind, map[string][]string{k.Key: strings.Split(k.Default, ",")}, testEnv)
				require.Empty(t, problems)
				without, _ := NewCheck(kind, nil, testEnv)
				require.Equal(t, without, with, "the default changes nothing")
			})
		}
	}
	require.Nil(t, KindKeys("nothing"))
}

// TestCommonKeysAreApart: on a command line the keys of a kind and of tls stand side by side.
func TestCommonKeysAreApart(t *testing.T) {
	common := map[string]bool{}
	for _, k := range CommonKeys() {
		name := strings.TrimPrefix(k.Key, "tls.")
		require.False(t, common[name], k.Key)
		common[name] = true
	}
	for _, kind := range Kinds() {
		for _, k := range KindKeys(kind) {
			require.False(t, common[k.Key], "%s: %s", kind, k.Key)
		}
	}
}

// TestNewCheckTakesEverything: no type of a setting is beyond a command line.
func TestNewCheckTakesEverything(t *testing.T) {
	keys := checkKeys("", fieldsOf(reflect.TypeFor[vocabulary]()))
	for _, k := range keys {
		require.NotEmpty(t, fmt.Sprint(k.Value, k.Words), k.Key)
	}
}
