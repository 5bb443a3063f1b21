package peers

import "context"

// Objects holds the SOP Instance UID of every object that is stored here.
func (o *Orthanc) Objects(ctx context.Context) (map[string]bool, error) {
	var list []struct {
		MainDicomTags struct{ SOPInstanceUID string }
	}
	err := o.get(ctx, "/instances?expand", &list)
	objects := map[string]bool{}
	for _, i := range list {
		objects[i.MainDicomTags.SOPInstanceUID] = true
	}
	return objects, err
}
