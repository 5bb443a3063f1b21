// Package dicomscript plays a scripted DICOM server against one check, in fake time and over a pipe: for the tests
// of the kinds that speak DICOM.
package dicomscript
