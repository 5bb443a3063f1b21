package peers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// HAPI is no program but a library, on which most HL7 programs written in Java stand. Our receiver and our sender on
// it are Java files, see hapirun.go; the library's files come from its project's own repository by Maven, in exactly
// these versions, and are kept in the user's cache folder.
const hapi = "HAPI"

// jar is one file of a Java library.
type jar struct{ group, artifact, version, sha256 string }

func (j jar) file() string { return j.artifact + "-" + j.version + ".jar" }

var hapiJars = []jar{
	{"ca.uhn.hapi", "hapi-base", "2.3", "c91c622fd9a107b74fa13804158d55f75b3ad7ac18e04ca1c7752acf1ddb7809"},
	{"ca.uhn.hapi", "hapi-structures-v251", "2.3", "91c555ed6d53101857b9166bfc100be25ec547d3d76b28bc070a94069f9bc881"},
	{"org.slf4j", "slf4j-api", "1.7.36", "d3ef575e3e4979678dc01bf1dcce51021493b4d11fb7f1be8ad982877c16a1c0"},
	{"org.slf4j", "slf4j-simple", "1.7.36", "2f39bed943d624dfa8f4102d0571283a10870b6aa36f197a8a506f147010c10f"},
}

// copier is the plug-in that puts the files of libraries into a folder.
const copier = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"

func hapiFolder() (string, error) { return cacheFolder("hapi-" + hapiJars[0].version) }

// hapiClasses are the library's files, each with the content that it must have.
func hapiClasses(folder string) ([]string, error) {
	files := make([]string, len(hapiJars))
	for i, j := range hapiJars {
		files[i] = filepath.Join(folder, j.file())
		sum, err := sumOf(files[i])
		if err != nil {
			return nil, err
		}
		if sum != j.sha256 {
			return nil, fmt.Errorf("%s has SHA-256 %s; it must be %s", files[i], sum, j.sha256)
		}
	}
	return files, nil
}

func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hex.EncodeToString(sum.Sum(nil)), err
}

// hasHAPI reports whether the library is here, whole.
func hasHAPI() bool {
	folder, err := hapiFolder()
	if err == nil {
		_, err = hapiClasses(folder)
	}
	return err == nil
}

// fetchHAPI needs mvn. Nothing is kept whose content is not the expected one.
func fetchHAPI(ctx context.Context) error {
	folder, err := hapiFolder()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(folder), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := fetch(ctx, work, hapiJars); err != nil {
		return err
	}
	if _, err := hapiClasses(work); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(work, "pom.xml")); err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	return os.Rename(work, folder)
}

// fetch lets Maven copy the files of a project that needs just these.
func fetch(ctx context.Context, folder string, jars []jar) error {
	var pom strings.Builder
	pom.WriteString("<project><modelVersion>4.0.0</modelVersion><groupId>gantry</groupId><artifactId>peers</artifactId>" +
		"<version>1</version><packaging>pom</packaging><dependencies>")
	for _, j := range jars {
		fmt.Fprintf(&pom, "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>",
			j.group, j.artifact, j.version)
	}
	pom.WriteString("</dependencies></project>")
	file := filepath.Join(folder, "pom.xml")
	if err := os.WriteFile(file, []byte(pom.String()), 0o644); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", file, copier, "-DexcludeTransitive=true",
		"-DoutputDirectory="+folder).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mvn: %w\n%s", err, out)
	}
	return nil
}
