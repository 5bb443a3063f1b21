package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gantry/fixtures/hospital"
	"gantry/gateway"
	"gantry/gateway/admin"
)

// demo is a demonstration: the hospital, the real gateway in front of it, and what is told about both.
type demo struct {
	*surroundings
	demoOptions
	hospital *hospital.Hospital
	config   demoConfig
	folder   string // temporary, with the configuration
	gw       *gateway.Gateway
	traffic  *hospital.Traffic // nil with --no-traffic
	show     *hospital.Show
	news     newsroom

	began, ended time.Time
	last         admin.Status // the gateway's own figures, as they were at the end
}

const (
	// beat is how often the show goes on and news are looked for.
	beat = 100 * time.Millisecond
	// frameEvery is how often the picture is drawn anew when nothing happens.
	frameEvery = time.Second
	// demoGrace is how long what is under way at the end may take.
	demoGrace = 3 * time.Second
)

// open puts the gateway in front of the hospital and lets the clients in. It tries again with other ports when one was
// taken between the search for it and its use.
func (d *demo) open(ctx context.Context) (err error) {
	if d.folder, err = os.MkdirTemp("", "gantry-demo-"); err != nil {
		return err
	}
	for range 3 {
		if err = d.startGateway(ctx); !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	if err != nil {
		os.RemoveAll(d.folder)
		return err
	}
	d.began = time.Now()
	d.show = hospital.NewShow(d.hospital, d.timing, d.began)
	d.news = newsroom{demo: d}
	if !d.noTraffic {
		d.traffic = d.hospital.Work(d.config.Entrances, d.haste)
	}
	return nil
}

func (d *demo) startGateway(ctx context.Context) (err error) {
	if d.config, err = newDemoConfig(d.hospital, d.demoOptions); err != nil {
		return err
	}
	file := filepath.Join(d.folder, "gantry.yaml")
	if err = os.WriteFile(file, []byte(d.config.yaml()), 0o600); err != nil {
		return err
	}
	// No logger: its lines would tear the picture, and the news say the same.
	d.gw, err = gateway.New(gateway.Options{ConfigFile: file, Version: buildInfo().version})
	if err != nil {
		return err
	}
	if err = d.gw.Start(ctx); err != nil {
		_ = d.gw.Stop(ctx) // it may have started and then found that it was interrupted
	}
	return err
}

// close ends everything in the order in which a hospital would want it: the failing server comes back, the clients get
// their answers, the news are heard to the end, the gateway stops, the servers stop.
func (d *demo) close() {
	d.show.Finish(time.Now())
	if d.traffic != nil {
		d.traffic.Stop(demoGrace)
	}
	d.ended = time.Now()
	d.news.gather(d.ended)
	if d.traffic != nil {
		d.show.Conclude(&d.traffic.Ledger, d.ended)
	}
	d.last = d.gw.Status()
	ctx, cancel := context.WithTimeout(context.Background(), demoGrace)
	defer cancel()
	_ = d.gw.Stop(ctx) // sessions of others than our clients may be cut
	d.hospital.Close()
	os.RemoveAll(d.folder)
}

// display is where the demonstration is seen: a picture on a terminal, or lines.
type display interface {
	begin() error
	// present is called at each beat, with what is new since the last one.
	present(now time.Time, fresh []news) error
	end()
}

func (d *demo) display() display {
	if _, _, terminal := d.size(); terminal && d.getenv("TERM") != "dumb" {
		return &picture{demo: d}
	}
	return &lines{demo: d}
}

// play goes on until it is interrupted, the time is over, or nobody listens any more.
func (d *demo) play(ctx context.Context) error {
	// SIGPIPE is listened to only so that it does not kill: the write that caused it fails, and that ends the play.
	arrived, release := d.signals(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer release()
	if d.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, d.duration)
		defer cancel()
	}
	seen := d.display()
	if err := seen.begin(); err != nil {
		return unheard(err)
	}
	defer seen.end()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		now := time.Now()
		if err := seen.present(now, d.advance(now)); err != nil {
			return unheard(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case s := <-arrived:
			if s != syscall.SIGPIPE {
				return nil
			}
		case <-tick.C:
		}
	}
}

// advance lets happen what is due and returns the news. Nothing fails before everything has been seen to work.
func (d *demo) advance(now time.Time) []news {
	if d.news.ready {
		if f := d.show.Step(now); f != nil {
			d.news.staged(f, now)
		}
	}
	fresh := d.news.gather(now)
	if d.traffic != nil {
		d.show.Settle(&d.traffic.Ledger, now)
	}
	return fresh
}

// unheard turns the error of a reader who has gone, as in `gantry demo | head`, into an end without words.
func unheard(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return saidError{exitFailed}
	}
	return err
}
