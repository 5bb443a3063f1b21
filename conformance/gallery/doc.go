// Package gallery is the failure gallery: servers that are up for TCP and dead for users, each played by a scripted
// peer, and what the checks say about them. The tests write docs/failure-gallery.md from what was really said:
//
//	go test ./conformance/gallery -update
package gallery
