// Package transcript shows the conversation of a check to people and programs: the passages of a
// [negotiate.Result] as lines for a terminal or a page, and as JSON. It is no kind of check.
//
// What a peer said is data: in lines only printable characters are left, so that nothing can move
// the cursor of the person who looks, or forge a line.
package transcript
